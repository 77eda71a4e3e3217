import {type Data, Int64, LargeBinary, List, makeData, Utf8} from 'apache-arrow';
import {nonNull} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import {encodeUtf8Column} from './utf8-column.ts';

const SHAPE_ITEM = nonNull('item', new Int64());

export const WEIGHTS_FIELDS = () => [
  nonNull('name', new Utf8()),
  nonNull('dtype', new Utf8()),
  nonNull('shape', new List(SHAPE_ITEM)),
  nonNull('values', new LargeBinary()),
];
export const MASK_FIELDS = () => [
  nonNull('name', new Utf8()),
  nonNull('shape', new List(SHAPE_ITEM)),
  nonNull('bits', new LargeBinary()),
];

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

export const textCell = (text: string): Data<Utf8> => encodeUtf8Column([text]);

export const shapeCell = (shape: readonly number[]): Data<List<Int64>> =>
  makeData({
    type: new List(SHAPE_ITEM),
    length: 1,
    nullCount: 0,
    valueOffsets: Int32Array.of(0, shape.length),
    child: makeData({
      type: new Int64(),
      length: shape.length,
      nullCount: 0,
      data: BigInt64Array.from(shape, (side) => BigInt(side)),
    }),
  });

export const bytesCell = (bytes: Uint8Array): Data<LargeBinary> =>
  makeData({
    type: new LargeBinary(),
    length: 1,
    nullCount: 0,
    valueOffsets: BigInt64Array.of(0n, BigInt(bytes.byteLength)),
    data: bytes,
  });

interface Shaped {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The tensors by name, by code unit, which is the order of the file whatever order they were made in. */
export function sortedTensors<T extends Shaped>(tensors: readonly T[], held: (tensor: T) => number): readonly T[] {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  sorted.forEach((tensor, index) => {
    const {name, shape} = tensor;
    if (!name.isWellFormed()) throw new ArtifactError(`The name of tensor ${JSON.stringify(name)} is no valid text.`);
    if (name === sorted[index + 1]?.name) throw new ArtifactError(`Two tensors are named "${name}".`);
    if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0))
      throw new ArtifactError(
        `Tensor "${name}" has the shape [${shape.join(', ')}]; sides are whole numbers from 0 up.`,
      );
    if (sizeOf(shape) !== held(tensor))
      throw new ArtifactError(
        `Tensor "${name}" of shape [${shape.join(', ')}] must hold ${sizeOf(shape)} values and holds ${held(tensor)}.`,
      );
  });
  return sorted;
}
