import type {Row, Rows} from '../artifact/kinds.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {UserError} from '../base/user-error.ts';
import type {Expectation, Graph} from '../graph/graph.ts';
import {compileCondition, rowText} from '../spec/expression.ts';

export interface Verdict {
  readonly expectation: Expectation;
  readonly met: boolean;
  /** Which rows failed it, or why there were none. */
  readonly detail: string;
}

/** Reads the rows of an artifact of a node, axes as columns, at least those that `where` selects; a failure says why there are none. */
export type ReadNodeRows = (node: string, artifact: string, where: string | undefined) => Promise<Result<Rows, string>>;

/**
 * Holds every row that `where` selects to `that`; no row at all fails. A claim that cannot be held to its table is one that is
 * not met: the others are told all the same, and the run ends as it would.
 */
export async function checkExpectations(graph: Graph, readRows: ReadNodeRows): Promise<readonly Verdict[]> {
  return Promise.all(
    graph.expectations.map(async (expectation) => {
      const result = await checkOne(expectation, readRows).catch(reasonOf);
      return {expectation, met: result.ok, detail: result.ok ? '' : result.error};
    }),
  );
}

function reasonOf(error: unknown): Result<never, string> {
  if (!(error instanceof UserError)) throw error;
  return fail(error.hint === undefined ? error.message : `${error.message} ${error.hint}`);
}

async function checkOne(expectation: Expectation, readRows: ReadNodeRows): Promise<Result<true, string>> {
  const read = await readRows(expectation.node, expectation.artifact, expectation.where);
  if (!read.ok) return read;
  if (read.value.length === 0) return fail('The table is empty.');
  const names = Object.keys(read.value[0] ?? {});
  const condition = (text: string): ((row: Row) => boolean) => {
    const compiled = compileCondition(text, names);
    if (compiled.ok) return compiled.value;
    throw new Error(`Internal error: the checked condition "${text}" does not compile`);
  };
  const selected = expectation.where === undefined ? read.value : read.value.filter(condition(expectation.where));
  if (selected.length === 0) return fail(`No row is selected by "${expectation.where}".`);
  const failing = selected.filter((row) => !condition(expectation.that)(row));
  const [first] = failing;
  if (!first) return ok(true);
  return fail(`${failing.length} of ${selected.length} rows fail, the first is ${rowText(first)}`);
}
