/**
 * The Arrow IPC file around every artifact. Equal values must give equal bytes, so schemas are explicit and non-null
 * (helpers such as `tableFromArrays` number their dictionaries per process), metadata is written in one order, and nothing is
 * compressed, which also lets a read be a view.
 */
import {type Data, Field, makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct} from 'apache-arrow';
import type {ArrowKind} from './kinds.ts';

/** Raised when the layout of any kind changes; a reader refuses other numbers. */
export const ARTIFACT_FORMAT = 1;
export const FORMAT_FIELD = 'basin.format';
export const KIND_FIELD = 'basin.kind';

export type Metadata = ReadonlyMap<string, string>;
/** One record batch: its columns in schema order, all of `rows` rows. */
export interface Batch {
  readonly rows: number;
  readonly columns: readonly Data[];
}

export function writeArrowFile(
  kind: ArrowKind,
  fields: readonly Field[],
  batches: readonly Batch[],
  metadata: Metadata = new Map(),
): Uint8Array {
  const schema = new Schema(
    [...fields],
    new Map([[FORMAT_FIELD, String(ARTIFACT_FORMAT)], [KIND_FIELD, kind], ...metadata]),
  );
  const type = new Struct(schema.fields);
  const recordBatches = batches.map(
    ({rows, columns}) => new RecordBatch(schema, makeData({type, length: rows, nullCount: 0, children: [...columns]})),
  );
  const writer = new RecordBatchFileWriter();
  writer.reset(undefined, schema);
  for (const batch of recordBatches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

export const nonNull = (name: string, type: ConstructorParameters<typeof Field>[1]): Field =>
  new Field(name, type, false);
