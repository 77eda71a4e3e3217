import type {Tensor} from '@tensorflow/tfjs';
import {beforeAll, expect, test} from 'vitest';
import type {Tf} from '../../stages/tensor/library.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';
import {values} from '../../stages/tensor/self-test/case.ts';
import {compareWithCpu} from '../../stages/tensor/self-test/compare.ts';

let tf: Tf;
beforeAll(async () => {
  tf = await loadTensorLibrary('wasm', {threads: 1});
});

/** The product in double precision by its definition, over index functions: nothing of TensorFlow.js in it. */
function reference(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): number[] {
  const stackOf = (x: Tensor) => x.shape.slice(0, -2);
  const length = Math.max(stackOf(a).length, stackOf(b).length);
  const padded = (x: Tensor) => [...Array<number>(length - stackOf(x).length).fill(1), ...stackOf(x)];
  const dims = padded(a).map((size, i) => Math.max(size, padded(b)[i] ?? 1));
  const [ra = 0, ca = 0] = a.shape.slice(-2);
  const [rb = 0, cb = 0] = b.shape.slice(-2);
  const [m, k, n] = [transposeA ? ca : ra, transposeA ? ra : ca, transposeB ? rb : cb];
  const [av, bv] = [a.dataSync(), b.dataSync()];
  const out: number[] = [];
  const walk = (at: number[]): void => {
    if (at.length < length) {
      for (let i = 0; i < (dims[at.length] ?? 1); i++) walk([...at, i]);
      return;
    }
    const matrix = (x: Tensor) => padded(x).reduce((flat, size, d) => flat * size + (size === 1 ? 0 : (at[d] ?? 0)), 0);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          const left = av[matrix(a) * m * k + (transposeA ? l * m + i : i * k + l)] ?? Number.NaN;
          sum += left * (bv[matrix(b) * k * n + (transposeB ? j * k + l : l * n + j)] ?? Number.NaN);
        }
        out.push(sum);
      }
    }
  };
  walk([]);
  return out;
}

const STACKS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[], []],
  [[4], [4]],
  [[4], [1]],
  [[1], [4]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 1],
    [2, 3],
  ],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [[2, 3], [3]],
];

test.for(STACKS)('products of stacks [%s] and [%s] are right under all transposes', ([left, right]) => {
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      const a = values(tf, [...left, ...(transposeA ? [9, 7] : [7, 9])], 1);
      const b = values(tf, [...right, ...(transposeB ? [6, 9] : [9, 6])], 2);
      const product = tf.matMul(a, b, transposeA, transposeB);
      const expected = reference(a, b, transposeA, transposeB);
      const actual = product.dataSync();
      expect(actual).toHaveLength(expected.length);
      for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
    }
  }
});

test.for([
  [13, 300, 21],
  [4, 256, 8],
  [1, 257, 1],
  [6, 1, 40],
  [3, 513, 16],
])(
  'products of %s rows, %s inner and %s columns are right, whatever does not fill a block',
  ([m = 1, k = 1, n = 1]) => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = values(tf, transposeA ? [k, m] : [m, k], 3);
        const b = values(tf, transposeB ? [n, k] : [k, n], 4);
        const actual = tf.matMul(a, b, transposeA, transposeB).dataSync();
        const expected = reference(a, b, transposeA, transposeB);
        expect(actual).toHaveLength(expected.length);
        // rounding is in proportion to what is added up, not to what is left of it
        const added = reference(tf.abs(a), tf.abs(b), transposeA, transposeB);
        for (const [i, value] of expected.entries()) {
          expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-6 * (added[i] ?? 0));
        }
      }
    }
  },
);

test('a product of no rows, columns or inner places is empty or zero', () => {
  expect(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).arraySync()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  expect(tf.matMul(tf.zeros([0, 2]), tf.zeros([2, 3])).shape).toEqual([0, 3]);
});

test('a product leaves no tensor behind in the module', () => {
  const [a, b] = [values(tf, [3, 5, 4], 1), values(tf, [3, 6, 4], 2)];
  const backend = tf.backend();
  const before = backend.numDataIds();
  tf.matMul(a, b, false, true).dispose();
  tf.matMul(a, values(tf, [4, 2]).reshape([1, 4, 2])).dispose();
  expect(backend.numDataIds() - before).toBe(1); // the operand made in the line above
});

test('operands that do not fit are refused', () => {
  expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(/inner shapes|do not fit/);
});

test('what the stages need is equal to the cpu back end, and a wrong kernel is found', async () => {
  expect((await compareWithCpu(tf, 'wasm')).needed).toEqual([]);
  const erf = tf.getKernel('Erf', 'wasm');
  const tanh = tf.getKernel('Tanh', 'wasm');
  tf.unregisterKernel('Erf', 'wasm');
  tf.registerKernel({...tanh, kernelName: 'Erf', backendName: 'wasm'});
  const {needed} = await compareWithCpu(tf, 'wasm');
  tf.unregisterKernel('Erf', 'wasm');
  tf.registerKernel(erf);
  expect(needed.map((fault) => fault.case)).toEqual([
    'erf',
    'exact GELU',
    'a training step of a small vit',
    'a training step of a small vit with heads that our attention takes',
    'a training step of a small vit with dropout, by Adamax',
    'a training step of a small vit, by SGD with Nesterov momentum',
  ]);

  tf.unregisterKernel('Rsqrt', 'wasm');
  const missing = await compareWithCpu(tf, 'wasm');
  expect(missing.needed.map((fault) => fault.case)).toContain('layer normalisation');
});
