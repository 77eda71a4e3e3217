import {multiply, PRECISIONS} from '../fused/product.ts';
import {type Case, values, withGradients} from './case.ts';

const FLAGS = [false, true];
const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const;

/** Shape of a matrix operand, transposed when it will be transposed back. */
const operand = (batch: readonly number[], rows: number, columns: number, transposed: boolean): number[] =>
  transposed ? [...batch, columns, rows] : [...batch, rows, columns];

// [2,1] × [2,3] is not here: the reference itself repeats the wrong matrices of it (tfjs-backend-cpu 4.22).
const BATCHES: readonly {readonly left: readonly number[]; readonly right: readonly number[]}[] = [
  {left: [], right: []},
  {left: [1], right: [1]},
  {left: [5], right: [5]},
  {left: [2, 3], right: [2, 3]},
  {left: [5], right: [1]},
  {left: [1], right: [5]},
  {left: [2, 3], right: [1, 3]},
  {left: [2, 3], right: [1, 1]},
];

export const productCases: readonly Case[] = [
  ...BATCHES.flatMap(({left, right}) =>
    FLAGS.flatMap((transposeA) =>
      FLAGS.map(
        (transposeB): Case => ({
          name: `matMul [${left}] × [${right}]${transposeA ? ' transposeA' : ''}${transposeB ? ' transposeB' : ''}`,
          compute: (tf) => {
            const a = values(tf, operand(left, 7, 9, transposeA), 1);
            const b = values(tf, operand(right, 9, 6, transposeB), 2);
            // tfjs 4.22 has no gradient for a broadcast product, on any back end.
            return left.join() === right.join()
              ? withGradients(tf, (x, y) => tf.matMul(x, y, transposeA, transposeB), [a, b])
              : tf.matMul(a, b, transposeA, transposeB);
          },
        }),
      ),
    ),
  ),
  {
    name: 'matMul wider than a vector register',
    compute: (tf) => withGradients(tf, (a, b) => tf.matMul(a, b), [values(tf, [33, 65]), values(tf, [65, 40], 2)]),
  },
  ...ACTIVATIONS.map(
    (activation): Case => ({
      name: `fused.matMul with a bias, ${activation}`,
      compute: (tf) =>
        [[], [2]].flatMap((batch) =>
          FLAGS.flatMap((transposeA) =>
            FLAGS.map((transposeB) =>
              tf.fused.matMul({
                a: values(tf, operand(batch, 3, 4, transposeA)),
                b: values(tf, operand(batch, 4, 5, transposeB), 2),
                bias: values(tf, [5], 3),
                activation,
                transposeA,
                transposeB,
                leakyreluAlpha: 0.3,
              }),
            ),
          ),
        ),
    }),
  ),
  ...PRECISIONS.flatMap((precision) =>
    // the last is large enough for TensorFlow's own product
    [[7, 1, 9] as const, [33, 70, 17] as const, [192, 200, 192] as const].map(
      ([rows, inner, columns]): Case => ({
        name: `product of ${rows} × ${inner} × ${columns} in ${precision}`,
        compute: (tf) =>
          FLAGS.flatMap((transposeA) =>
            FLAGS.map((transposeB) =>
              multiply(
                tf,
                values(tf, operand([], rows, inner, transposeA)),
                values(tf, operand([], inner, columns, transposeB), 2),
                {transposeA, transposeB, precision},
              ),
            ),
          ),
      }),
    ),
  ),
  {
    name: 'conv2d of patches',
    compute: (tf) =>
      withGradients(tf, (x, w) => tf.conv2d(x.reshape([2, 8, 8, 3]), w.reshape([4, 4, 3, 5]), 4, 'valid'), [
        values(tf, [2, 192]),
        values(tf, [48, 5], 2),
      ]),
    avoided: true,
  },
];
