import {type Data, DataType, type Field, RecordBatchReader, type Schema} from 'apache-arrow';
import {ARTIFACT_FORMAT, FORMAT_FIELD, KIND_FIELD} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import {metadataIsWhole} from './check-metadata.ts';
import type {ArrowKind} from './kinds.ts';

const MAGIC = Buffer.from('ARROW1');
/** Magic, padding, footer length, magic: no Arrow file is shorter. */
const SMALLEST = 8 + 4 + MAGIC.length;

export interface ArrowFile {
  /** As messages name it. */
  readonly name: string;
  readonly schema: Schema;
  readonly batches: readonly {readonly rows: number; readonly columns: readonly Data[]}[];
}

/**
 * The record batches of an artifact's file as views on its bytes, with every length checked against them. Damage that keeps all
 * lengths is for the digest to find.
 *
 * @throws ArtifactError when the bytes are cut, damaged, or the file of something else.
 */
export function readArrowFile(kind: ArrowKind, bytes: Uint8Array, name: string): ArrowFile {
  // Arrow's views need their buffers on multiples of eight; a misaligned file is moved once, whole.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  checkFrame(aligned, name);
  const reader = RecordBatchReader.from(aligned);
  if (!reader.isFile() || !reader.isSync()) throw damaged(name);
  reader.open();
  if (reader.numDictionaries > 0) throw damaged(name);
  checkMetadata(reader.schema, kind, name);
  // Without a column no length holds the count of rows to the file's size.
  if (reader.schema.fields.length === 0) throw damaged(name);
  const batches = Array.from({length: reader.numRecordBatches}, (_, index) => {
    const batch = reader.readRecordBatch(index);
    if (batch === null) throw damaged(name);
    return {rows: batch.data.length, columns: batch.data.children};
  });
  const file = {name, schema: reader.schema, batches};
  for (const {rows, columns} of file.batches)
    columns.forEach((column, index) => {
      checkColumn(column, rows, file.schema.fields[index], name);
    });
  return file;
}

export const damaged = (name: string): ArtifactError =>
  new ArtifactError(
    `${name} is damaged: it is not a whole Arrow file of basin.`,
    'If it lies in the cache, `basin cache verify` removes it, and the next run makes it anew.',
  );

/** Runs what reads untrusted bytes; whatever it stumbles over, the caller hears that the file is damaged. */
export function guarded<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ArtifactError ? error : damaged(name);
  }
}

function checkFrame(bytes: Uint8Array, name: string): void {
  const size = bytes.byteLength;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, size);
  if (size < MAGIC.length || !view.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ArtifactError(`${name} is not an Arrow file.`, 'Artifacts are Arrow IPC files, written by basin.');
  if (size < SMALLEST || !view.subarray(size - MAGIC.length).equals(MAGIC)) throw damaged(name);
  const footer = view.readInt32LE(size - MAGIC.length - 4);
  if (footer <= 0 || footer > size - SMALLEST || !metadataIsWhole(bytes)) throw damaged(name);
}

function checkMetadata({metadata}: Schema, kind: ArrowKind, name: string): void {
  const format = metadata.get(FORMAT_FIELD);
  const found = metadata.get(KIND_FIELD);
  if (format === undefined || found === undefined)
    throw new ArtifactError(`${name} is an Arrow file, but no artifact of basin: it does not say what kind it is.`);
  if (format !== String(ARTIFACT_FORMAT))
    throw new ArtifactError(
      `${name} has artifact format ${format}; this basin reads format ${ARTIFACT_FORMAT}.`,
      'Use the version of basin that wrote it, or a newer one.',
    );
  if (found !== kind) throw new ArtifactError(`${name} holds ${found}, where ${kind} was expected.`);
}

function checkColumn(column: Data, rows: number, field: Field | undefined, name: string): void {
  const {type, length} = column;
  if (field === undefined || length !== rows || rows < 0 || column.offset !== 0) throw damaged(name);
  if (column.nullCount > 0)
    throw new ArtifactError(`${name} has nulls in column "${field.name}"; artifacts have none.`);
  if (DataType.isUtf8(type) || DataType.isLargeBinary(type))
    checkOffsets(column.valueOffsets, rows, column.values, name);
  else if (DataType.isList(type)) {
    const child = column.children[0];
    if (child === undefined || child.nullCount > 0) throw damaged(name);
    checkOffsets(column.valueOffsets, rows, child.values, name);
  } else if (DataType.isBool(type)) {
    if (column.values.byteLength < rows / 8) throw damaged(name);
  } else if (!(column.values.length >= rows)) throw damaged(name);
}

function checkOffsets(
  offsets: Int32Array | BigInt64Array | undefined,
  rows: number,
  held: {readonly length: number} | undefined,
  name: string,
): void {
  if (offsets === undefined || held === undefined) throw damaged(name);
  if (offsets.length < rows + 1) throw damaged(name);
  let before = 0;
  for (let row = 0; row <= rows; row++) {
    const offset = Number(offsets[row]);
    if (!(offset >= before && offset <= held.length)) throw damaged(name);
    before = offset;
  }
}
