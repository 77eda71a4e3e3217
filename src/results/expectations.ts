import type {Row, Rows} from '../artifact/kinds.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Expectation, Graph} from '../graph/graph.ts';
import {compileCondition} from '../spec/expression.ts';

export interface Verdict {
  readonly expectation: Expectation;
  readonly met: boolean;
  /** Which rows failed it, or why there were none. */
  readonly detail: string;
}

/** Reads the rows of an artifact of a whole node, axes as columns; a failure says why there are none. */
export type ReadNodeRows = (node: string, artifact: string) => Promise<Result<Rows, string>>;

/** Holds every row that `where` selects to `that`; no row at all fails. */
export async function checkExpectations(graph: Graph, readRows: ReadNodeRows): Promise<readonly Verdict[]> {
  return Promise.all(
    graph.expectations.map(async (expectation) => {
      const result = await checkOne(expectation, readRows);
      return {expectation, met: result.ok, detail: result.ok ? '' : result.error};
    }),
  );
}

async function checkOne(expectation: Expectation, readRows: ReadNodeRows): Promise<Result<true, string>> {
  const read = await readRows(expectation.node, expectation.artifact);
  if (!read.ok) return read;
  const names = Object.keys(read.value[0] ?? {});
  const condition = (text: string): ((row: Row) => boolean) => {
    const compiled = compileCondition(text, names);
    if (compiled.ok) return compiled.value;
    throw new Error(`Internal error: the checked condition "${text}" does not compile`);
  };
  const selected = expectation.where === undefined ? read.value : read.value.filter(condition(expectation.where));
  if (selected.length === 0) {
    return fail(read.value.length === 0 ? 'The table is empty.' : `No row is selected by "${expectation.where}".`);
  }
  const failing = selected.filter((row) => !condition(expectation.that)(row));
  const [first] = failing;
  if (!first) return ok(true);
  const cells = Object.entries(first).map(([name, cell]) => `${name}=${cell}`);
  return fail(`${failing.length} of ${selected.length} rows fail, the first is ${cells.join(' ')}`);
}
