import {FAILED, underColumns} from '../artifact/axis-columns.ts';
import {gatherRows} from '../artifact/gather.ts';
import {rowsInline} from '../artifact/inline-rows.ts';
import {isTableKind, type Row, type Rows, type TableKind} from '../artifact/kinds.ts';
import {own} from '../base/own.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Instance} from '../graph/graph.ts';
import {columnsOf} from '../graph/node-axes.ts';
import type {OutputRecord, StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {readStored} from './read-stored.ts';

/** Why something cannot be shown. */
export interface NotReadable {
  readonly message: string;
  /** Whether its result is known and only its file is gone: a run that needs no file of it does not bring it back. */
  readonly isGone: boolean;
}

export const notRun = (message: string): Result<never, NotReadable> => fail({message, isGone: false});

/** A stored artifact's verified bytes. */
export async function readArtifactBytes(
  store: Store,
  instance: Instance,
  artifact: string,
  output: OutputRecord,
): Promise<Result<Uint8Array, NotReadable>> {
  const bytes = await readStored(store, output.digest);
  if (bytes instanceof Uint8Array) return ok(bytes);
  return fail({message: `${instance.id}.${artifact} is ${bytes} in the store.`, isGone: true});
}

interface Member {
  readonly instance: Instance;
  readonly record: StoreRecord | undefined;
  /** Why there is no record; stands in the table in the place of its rows. */
  readonly failure?: string | undefined;
}

/** The rows of one artifact over some instances of one node, their axes as columns before those of the artifact in declared order. */
export async function readRows(
  store: Store,
  members: readonly Member[],
  artifact: string,
): Promise<Result<Rows, NotReadable>> {
  const [first] = members;
  const columns = first ? Object.keys(columnsOf(first.instance.stage, artifact)) : [];
  const shown = underColumns(first?.instance.axes ?? {}, columns);
  const gathered = [];
  for (const {instance, record, failure} of members) {
    const output = record?.outputs[artifact];
    const axes = shown(instance.axes);
    if (!output && failure !== undefined) {
      gathered.push({axes, rows: [{[FAILED]: failure}]});
      continue;
    }
    if (!output) return notRun(`${instance.id} has not run.`);
    if (!isTableKind(output.kind)) return notRun(`${instance.id}.${artifact} is no table.`);
    const rows = output.inline
      ? ok(rowsInline(output.inline))
      : await decodedRows(store, instance, artifact, output, output.kind);
    if (!rows.ok) return rows;
    gathered.push({axes, rows: rows.value.map((row) => inOrder(row, columns))});
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
): Promise<Result<Rows, NotReadable>> {
  const bytes = await readArtifactBytes(store, instance, artifact, output);
  if (!bytes.ok) return bytes;
  // The Arrow library is the largest thing a run in which nothing runs could load, and such a run opens no blob.
  const {decodeArtifact} = await import('../artifact/decode.ts');
  return ok(decodeArtifact(kind, bytes.value));
}
