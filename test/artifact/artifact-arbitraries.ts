import fc from 'fast-check';
import type {ArtifactValues, Columns, ColumnType, Mask, Rows, Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';

const text = fc.string({unit: 'grapheme', maxLength: 12});
const columnName = fc.string({unit: 'grapheme', minLength: 1, maxLength: 12});
const json: fc.Arbitrary<JsonObject> = fc.dictionary(
  text,
  fc.oneof(text, fc.integer(), fc.boolean(), fc.array(fc.nat())),
  {
    maxKeys: 4,
  },
);
const shape = fc.array(fc.nat(5), {maxLength: 3});
const sizeOf = (sides: readonly number[]) => sides.reduce((product, side) => product * side, 1);
const byName = (a: {name: string}, b: {name: string}) => (a.name < b.name ? -1 : 1);

export const weights: fc.Arbitrary<Weights> = fc.record({
  model: json,
  preprocessor: json,
  tensors: fc
    .uniqueArray(
      fc.record({name: text, shape}).chain(({name, shape}) => {
        const size = sizeOf(shape);
        return fc.record({
          name: fc.constant(name),
          shape: fc.constant(shape),
          values: fc.float32Array({minLength: size, maxLength: size, noNaN: true, noDefaultInfinity: true}),
        });
      }),
      {selector: ({name}) => name, maxLength: 6},
    )
    .map((tensors) => tensors.sort(byName)),
});

export const mask: fc.Arbitrary<Mask> = fc.record({
  tensors: fc
    .uniqueArray(
      fc.record({name: text, shape}).chain(({name, shape}) => {
        const size = sizeOf(shape);
        return fc.record({
          name: fc.constant(name),
          shape: fc.constant(shape),
          bits: fc.uint8Array({minLength: size, maxLength: size, max: 1}),
        });
      }),
      {selector: ({name}) => name, maxLength: 6},
    )
    .map((tensors) => tensors.sort(byName)),
});

const cells: Record<ColumnType, fc.Arbitrary<string | number | boolean>> = {
  utf8: text,
  float64: fc.double({noNaN: true}),
  int32: fc.integer(),
  bool: fc.boolean(),
};

export const summary: fc.Arbitrary<{columns: Columns; rows: Rows}> = fc
  .dictionary(columnName, fc.constantFrom<ColumnType>('utf8', 'float64', 'int32', 'bool'), {minKeys: 1, maxKeys: 5})
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(
        fc.record(Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, cells[type]]))),
        {maxLength: 20},
      ),
    }),
  );

export const someWeights: ArtifactValues['weights'] = {
  model: {model: 'mlp', hidden: [3]},
  preprocessor: {mean: 0.5},
  tensors: [
    {name: 'b', shape: [2, 2], values: Float32Array.of(1, -2, 0.5, -0)},
    {name: 'a', shape: [], values: Float32Array.of(7)},
  ],
};
