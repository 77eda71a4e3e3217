import {rowsInline} from '../artifact/inline-rows.ts';
import type {Row} from '../artifact/kinds.ts';
import type {Graph, GraphNode, Instance} from '../graph/graph.ts';
import type {StoreRecord} from '../store/record.ts';

/** Summaries of several instances that have the same columns, as one table. */
export interface SummaryTable {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Summaries of a node that are in no table. */
export interface OmittedSummaries {
  readonly node: GraphNode;
  readonly artifact: string;
  readonly instances: readonly Instance[];
  /** How many they have together, where that is known. */
  readonly rows: number | undefined;
}

export interface Summaries {
  readonly tables: readonly SummaryTable[];
  readonly omitted: readonly OmittedSummaries[];
}

/** Most summary rows an instance may have to be shown at the end of a run. */
const FEW_ROWS = 8;

/**
 * What a run found, from the summaries in its records: one table per set of columns, a row's instance in its first
 * column, with how many failed points it went without. Opens no blob: a summary too large for its record is left to `show`.
 */
export function summariesOf(
  graph: Graph,
  records: readonly (StoreRecord | undefined)[],
  without: ReadonlyMap<number, readonly number[]>,
): Summaries {
  const tables = new Map<string, {columns: string[]; rows: Row[]}>();
  const omitted: OmittedSummaries[] = [];
  for (const node of graph.nodes) {
    const instances = node.instances.flatMap((index) => graph.instances[index] ?? []);
    for (const [artifact, {kind, columns: declared = {}}] of Object.entries(node.stage.outputs)) {
      if (kind !== 'summary') continue;
      const columns = Object.keys(declared);
      const family = columns.join(' ');
      const long: Instance[] = [];
      for (const instance of instances) {
        const output = records[instance.index]?.outputs[artifact];
        if (!output) continue;
        if (!output.inline || output.inline.length > FEW_ROWS) {
          long.push(instance);
          continue;
        }
        const table = tables.get(family) ?? {columns: ['instance', ...columns], rows: []};
        tables.set(family, table);
        const lost = without.get(instance.index)?.length ?? 0;
        const name = lost === 0 ? instance.id : `${instance.id} (without ${lost} failed)`;
        table.rows.push(...rowsInline(output.inline).map((row) => ({instance: name, ...row})));
      }
      if (long.length > 0) omitted.push({node, artifact, instances: long, rows: rowsOf(long, artifact, records)});
    }
  }
  return {tables: [...tables.values()], omitted};
}

function rowsOf(
  instances: readonly Instance[],
  artifact: string,
  records: readonly (StoreRecord | undefined)[],
): number | undefined {
  let sum = 0;
  for (const {index} of instances) {
    const rows = records[index]?.outputs[artifact]?.rows;
    if (rows === undefined) return undefined;
    sum += rows;
  }
  return sum;
}
