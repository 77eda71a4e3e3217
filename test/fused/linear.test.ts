import fc from 'fast-check';
import {test} from 'vitest';
import {linear} from '../../stages/lib/models/layers.ts';
import {expectLike, nativeOperations, noise, valuesAndGradients} from './against-definition.ts';

const tf = await nativeOperations();

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
}

const matrix = (rows: number, columns: number, values: ArrayLike<number>): Matrix => ({
  rows,
  columns,
  at: (row, column) => values[row * columns + column] ?? Number.NaN,
});

const transposed = ({rows, columns, at}: Matrix): Matrix => ({
  rows: columns,
  columns: rows,
  at: (row, column) => at(column, row),
});

/** To the nearest bfloat16, ties to even, by the bits. */
function rounded({rows, columns, at}: Matrix): Matrix {
  const values = Float32Array.from({length: rows * columns}, (_, place) =>
    at(Math.floor(place / columns), place % columns),
  );
  const bits = new Uint32Array(values.buffer);
  bits.forEach((word, place) => {
    bits[place] = ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) << 16;
  });
  return matrix(rows, columns, values);
}

/** In float64. */
function productOf(a: Matrix, b: Matrix): Float32Array {
  return Float32Array.from({length: a.rows * b.columns}, (_, place) => {
    let sum = 0;
    for (let k = 0; k < a.columns; k++) sum += a.at(Math.floor(place / b.columns), k) * b.at(k, place % b.columns);
    return sum;
  });
}

const side = fc.oneof(fc.integer({min: 1, max: 40}), fc.constantFrom(64, 97));

test.runIf(tf).each(['fp32', 'bf16'] as const)(
  'a linear layer in %s gives the products, and by their gradients the products, of its operands in that precision',
  (precision) => {
    if (!tf) return;
    const round = precision === 'bf16' ? rounded : (whole: Matrix) => whole;
    fc.assert(
      fc.property(side, side, side, fc.nat(999), (rows, inputs, outputs, seed) => {
        tf.tidy(() => {
          const [x, weight, bias] = [[rows, inputs], [outputs, inputs], [outputs]].map((shape, i) =>
            noise(tf, shape, seed + i),
          );
          if (!x || !weight || !bias) throw new Error('no operands');
          const computed = valuesAndGradients(
            tf,
            (library, a, b, c) => {
              if (!a || !b || !c) throw new Error('too few inputs');
              return linear(library, {weight: b, bias: c}, a, precision);
            },
            [x, weight, bias],
          );
          const host = (tensor: typeof x, width: number) =>
            matrix(tensor.size / width, width, tensor.dataSync<'float32'>());
          const [hostX, hostWeight] = [host(x, inputs), host(weight, inputs)].map(round);
          const dy = host(noise(tf, [rows, outputs], 70), outputs); // what valuesAndGradients weighs the output by
          if (!hostX || !hostWeight) throw new Error('no operands');
          const biases = bias.dataSync<'float32'>();
          const value = productOf(hostX, transposed(hostWeight)).map(
            (sum, place) => sum + (biases[place % outputs] ?? 0),
          );
          const ones = matrix(1, rows, new Float32Array(rows).fill(1));
          const gradients = [
            productOf(round(dy), hostWeight),
            productOf(transposed(round(dy)), hostX),
            productOf(ones, dy),
          ];
          expectLike(computed, [value, ...gradients]);
        });
      }),
      {numRuns: 20, seed: 1},
    );
  },
);
