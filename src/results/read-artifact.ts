import {gatherRows} from '../artifact/gather.ts';
import {isTableKind, type Row, type Rows, type TableKind} from '../artifact/kinds.ts';
import {own} from '../base/own.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Instance} from '../graph/graph.ts';
import {columnsOf} from '../graph/node-axes.ts';
import type {OutputRecord, StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';

/** A stored artifact's verified bytes; the error is a sentence. */
export async function readArtifactBytes(
  store: Store,
  instance: Instance,
  artifact: string,
  output: OutputRecord,
): Promise<Result<Uint8Array, string>> {
  const bytes = await store.readBlob(output.digest);
  if (bytes instanceof Uint8Array) return ok(bytes);
  return fail(`${instance.id}.${artifact} is ${bytes} in the store; run the pipeline to compute it again.`);
}

interface Member {
  readonly instance: Instance;
  readonly record: StoreRecord | undefined;
  /** Why there is no record; stands in the table in the place of its rows. */
  readonly failure?: string | undefined;
}

/** The rows of one artifact over several instances of a node, their axes as columns before those of the artifact in declared order. */
export async function readRows(
  store: Store,
  members: readonly Member[],
  artifact: string,
): Promise<Result<Rows, string>> {
  const gathered = [];
  for (const {instance, record, failure} of members) {
    const output = record?.outputs[artifact];
    if (!output && failure !== undefined) {
      gathered.push({axes: instance.axes, rows: [{failed: failure}]});
      continue;
    }
    if (!output) return fail(`${instance.id} has not run.`);
    if (!isTableKind(output.kind)) return fail(`${instance.id}.${artifact} is no table.`);
    const rows = output.inline ? ok(output.inline) : await decodedRows(store, instance, artifact, output, output.kind);
    if (!rows.ok) return rows;
    const columns = Object.keys(columnsOf(instance.stage, artifact));
    gathered.push({axes: instance.axes, rows: rows.value.map((row) => inOrder(row, columns))});
  }
  return ok(gatherRows(gathered));
}

/** A record's canonical JSON has lost the order of columns. */
const inOrder = (row: Row, columns: readonly string[]): Row =>
  Object.fromEntries(
    columns.flatMap((name) => {
      const cell = own(row, name);
      return cell === undefined ? [] : [[name, cell]];
    }),
  );

async function decodedRows(
  store: Store,
  instance: Instance,
  artifact: string,
  output: OutputRecord,
  kind: TableKind,
): Promise<Result<Rows, string>> {
  const bytes = await readArtifactBytes(store, instance, artifact, output);
  if (!bytes.ok) return bytes;
  // The Arrow library is the largest thing a run in which nothing runs could load, and such a run opens no blob.
  const {decodeArtifact} = await import('../artifact/decode.ts');
  return ok(decodeArtifact(kind, bytes.value));
}
