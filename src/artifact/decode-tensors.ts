import type {Data} from 'apache-arrow';
import type {Json, JsonObject} from '../base/json.ts';
import {isJsonObject} from '../base/json.ts';
import {ArtifactError} from './artifact-error.ts';
import {FLOAT32} from './encode-weights.ts';
import type {Mask, Weights} from './kinds.ts';
import {fromLittleEndian} from './little-endian.ts';
import {unpackBits} from './mask-bits.ts';
import {type ArrowFile, damaged} from './read-arrow-file.ts';
import {MASK_FIELDS, sizeOf, WEIGHTS_FIELDS} from './tensor-columns.ts';

/** The network of a weights file; `values` are views on its bytes, so they must not be written to. */
export function decodeWeights(file: ArrowFile): Weights {
  checkFields(file, WEIGHTS_FIELDS());
  const tensors = tensorRows(file).map((row) => {
    const name = row.text('name');
    const dtype = row.text('dtype');
    if (dtype !== FLOAT32)
      throw new ArtifactError(`${file.name}: tensor "${name}" has dtype ${dtype}; only ${FLOAT32} is known.`);
    const shape = row.shape();
    const bytes = row.bytes('values');
    if (bytes.byteLength !== 4 * sizeOf(shape)) throw damaged(file.name);
    return {name, shape, values: fromLittleEndian(bytes)};
  });
  checkOrder(tensors, file.name);
  return {model: metadataObject(file, 'model'), preprocessor: metadataObject(file, 'preprocessor'), tensors};
}

export function decodeMask(file: ArrowFile): Mask {
  checkFields(file, MASK_FIELDS());
  const tensors = tensorRows(file).map((row) => {
    const shape = row.shape();
    const size = sizeOf(shape);
    const packed = row.bytes('bits');
    const rest = size % 8;
    if (packed.byteLength !== Math.ceil(size / 8)) throw damaged(file.name);
    if (rest !== 0 && (packed.at(-1) ?? 0) >> rest !== 0) throw damaged(file.name);
    return {name: row.text('name'), shape, bits: unpackBits(packed, size)};
  });
  checkOrder(tensors, file.name);
  return {tensors};
}

function checkFields(file: ArrowFile, fields: ReturnType<typeof WEIGHTS_FIELDS>): void {
  const found = file.schema.fields.map(({name, type}) => `${name}: ${type}`).join(', ');
  const wanted = fields.map(({name, type}) => `${name}: ${type}`).join(', ');
  if (found !== wanted) throw new ArtifactError(`${file.name} has the columns ${found}; expected ${wanted}.`);
}

function checkOrder(tensors: readonly {readonly name: string}[], file: string): void {
  tensors.forEach(({name}, index) => {
    const before = tensors[index - 1]?.name;
    if (before !== undefined && before >= name) throw damaged(file);
  });
}

// `fatal`, since replacing bad bytes would hand on a name that nobody wrote.
const UTF8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

interface TensorRow {
  text(column: string): string;
  shape(): readonly number[];
  bytes(column: string): Uint8Array;
}

function tensorRows(file: ArrowFile): readonly TensorRow[] {
  const names = file.schema.fields.map(({name}) => name);
  return file.batches.flatMap(({rows, columns}) =>
    Array.from({length: rows}, (_, row): TensorRow => {
      const column = (name: string): Data => columns[names.indexOf(name)] ?? fault(file.name);
      const bytes = (name: string): Uint8Array => {
        const {values, valueOffsets} = column(name);
        return values.subarray(Number(valueOffsets[row]), Number(valueOffsets[row + 1]));
      };
      return {
        bytes,
        text: (name) => UTF8.decode(bytes(name)),
        shape: () => {
          const {valueOffsets, children} = column('shape');
          const sides: unknown = children[0]?.values.subarray(valueOffsets[row], valueOffsets[row + 1]);
          if (!(sides instanceof BigInt64Array)) throw damaged(file.name);
          const shape = Array.from(sides, Number);
          if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0)) throw damaged(file.name);
          return shape;
        },
      };
    }),
  );
}

const fault = (file: string): never => {
  throw damaged(file);
};

function metadataObject(file: ArrowFile, field: string): JsonObject {
  const text = file.schema.metadata.get(field);
  const value: Json | undefined = text === undefined ? undefined : JSON.parse(text);
  if (!isJsonObject(value))
    throw new ArtifactError(`${file.name} does not say its ${field}, so it cannot be evaluated.`);
  return value;
}
