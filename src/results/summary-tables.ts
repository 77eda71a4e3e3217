import type {Row} from '../artifact/kinds.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import type {StoreRecord} from '../store/record.ts';

/** Summaries of several instances that have the same columns, as one table. */
export interface SummaryTable {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Most summary rows an instance may have to be shown at the end of a run. */
const FEW_ROWS = 8;

/**
 * What a run found, from the summaries in its records: one table per set of columns, a row's instance in its first
 * column, with how many failed points it went without. Opens no blob: a summary too large for its record is left to `show`.
 */
export function summaryTables(
  graph: Graph,
  records: readonly (StoreRecord | undefined)[],
  without: ReadonlyMap<number, readonly number[]>,
): readonly SummaryTable[] {
  const tables = new Map<string, {columns: string[]; rows: Row[]}>();
  for (const instance of displayOrder(graph)) {
    const record = records[instance.index];
    for (const [artifact, declaration] of Object.entries(instance.stage.outputs)) {
      const rows = record?.outputs[artifact]?.inline;
      if (declaration.kind !== 'summary' || !rows || rows.length > FEW_ROWS) continue;
      const columns = Object.keys(declaration.columns ?? {});
      const family = columns.join(' ');
      const table = tables.get(family) ?? {columns: ['instance', ...columns], rows: []};
      tables.set(family, table);
      const lost = without.get(instance.index)?.length ?? 0;
      const name = lost === 0 ? instance.id : `${instance.id} (without ${lost} failed)`;
      table.rows.push(...rows.map((row) => ({instance: name, ...row})));
    }
  }
  return [...tables.values()];
}

/** Nodes as the file has them, and in each its points in order. */
const displayOrder = (graph: Graph): readonly Instance[] =>
  graph.nodes.flatMap(({instances}) => instances.flatMap((index) => graph.instances[index] ?? []));
