import type {Tensor} from '@tensorflow/tfjs';
import * as anyTf from '@tensorflow/tfjs';
import {describe, expect, test} from 'vitest';
import {captured, compareCaptured, forgetCalls} from '../../stages/tensor/capture/captured.ts';
import {isNodeBackend, withBinding} from '../../stages/tensor/capture/node-backend.ts';
import {record, type TensorFunction, type Tensors} from '../../stages/tensor/capture/record.ts';
import {backends} from '../rig/tensor-backends.ts';

const native = (await backends()).find(({name}) => name === 'tensorflow');

/** A named tensor that must be there. */
function of(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`there is no ${name}`);
  return tensor;
}

describe.skipIf(!native)('captured functions', () => {
  const tf = native?.tf ?? anyTf; // without a native back end this is declared and skipped
  const ramp = (...shape: number[]) =>
    tf.tensor(
      Float32Array.from({length: shape.reduce((a, b) => a * b, 1)}, (_, i) => Math.sin(i + 1)),
      shape,
    );
  const values = (tensors: Tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
  /** What it gives at the first call and at some more, with inputs that change. */
  const calls = (run: TensorFunction, count = 3) => {
    const call = captured(tf, 'a test', run);
    return () => {
      for (let round = 1; round <= count; round++) call({x: tf.tensor1d([round, 2, 3])});
    };
  };

  test('equal the function itself, for operations with attributes of every kind, several outputs and changing shapes', async () => {
    await tf.setBackend('tensorflow');
    const run: TensorFunction = (inputs) => {
      const x = of(inputs, 'x');
      const [rows = 0] = x.shape;
      const image = tf.reshape(x, [rows, 4, 4, 1]).as4D(rows, 4, 4, 1);
      const [left, right] = tf.split(x, [6, 10], 1);
      const {values: top, indices} = tf.topk(x, 3);
      return {
        same: x,
        convolved: tf.conv2d(image, tf.ones<typeof image.rankType>([2, 2, 1, 2]), [2, 2], 'same'),
        pooled: tf.maxPool(image, 2, 2, 'valid'),
        expanded: tf.expandDims(x, 1),
        strided: tf.stridedSlice(x, [0, 12], [rows, 1], [1, -3]),
        turned: tf.concat([right ?? x, left ?? x], 1).transpose(),
        hot: tf.oneHot(tf.cast(tf.argMax(x, 1), 'int32'), 16),
        top,
        indices,
        softmax: tf.softmax(x),
        positive: tf.greater(x, 0),
        product: tf.matMul(x, x, true, false),
      };
    };
    const call = captured(tf, 'attributes', run);
    for (const rows of [3, 2, 3, 5]) {
      tf.tidy(() => {
        const x = ramp(rows, 16);
        const [found, expected] = [values(call({x})), values({...run({x})})];
        expect(Object.keys(found)).toEqual(Object.keys(expected));
        for (const [name, list] of Object.entries(expected))
          list.forEach((value, index) => {
            expect(found[name]?.[index], `${name} of ${rows} rows`).toBeCloseTo(value, 5);
          });
      });
    }
  });

  test('compute equal layers once when they are recorded, and hold one tensor of a shape', async () => {
    await tf.setBackend('tensorflow');
    const backend: object = tf.backend();
    if (!isNodeBackend(backend)) throw new Error('no native back end');
    /** What recording `layers` equal layers computes, and how many tensors are there at once besides the input. */
    const cost = (layers: number) => {
      const {binding} = backend;
      const alive = new Set<number>();
      let [computed, most] = [0, 0];
      const watched = {
        executeOp(...call: Parameters<typeof binding.executeOp>) {
          const results = binding.executeOp(...call);
          computed++;
          for (const {id} of results) alive.add(id);
          most = Math.max(most, alive.size);
          return results;
        },
        deleteTensor(id: number) {
          alive.delete(id);
          binding.deleteTensor(id);
        },
      };
      const run: TensorFunction = ({x}) => {
        let y = tf.reshape(x ?? 0, [4, 4]);
        for (let layer = 0; layer < layers; layer++)
          y = tf.add(tf.matMul(tf.relu(tf.mul(y, layer + 1)), y), tf.greater(y, 0));
        return {y: tf.sum(y)};
      };
      const x = ramp(16);
      const recording = withBinding(backend, watched, () => record(tf, backend, run, {x}));
      expect(recording.operations.length).toBeGreaterThan(5 * layers);
      x.dispose();
      return {computed, most, left: alive.size};
    };
    const [one, three] = [cost(3), cost(12)];
    expect(three.most).toBe(one.most);
    expect(three.computed - one.computed).toBeLessThanOrEqual(12 - 3); // the constants differ: a product for each
    expect(three.left).toBe(0);
  });

  test('leave no tensors behind, recorded anew or not', async () => {
    await tf.setBackend('tensorflow');
    const x = ramp(3);
    const before = tf.memory().numTensors;
    const call = captured(tf, 'sums', (inputs) => ({sum: tf.sum(tf.square(of(inputs, 'x')))}));
    for (let round = 0; round < 4; round++) tf.dispose({...call({x})});
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });

  test('work on after more shapes than are kept loaded, and are still compared with what was recorded', async () => {
    await tf.setBackend('tensorflow');
    let factor = 1;
    const call = captured(tf, 'many shapes', (inputs) => ({sum: tf.sum(tf.mul(of(inputs, 'x'), factor))}));
    for (const length of [...Array(20).keys(), 0, 1].map((n) => n + 1)) {
      tf.tidy(() => {
        expect(of(call({x: tf.ones([length])}), 'sum').dataSync()[0]).toBe(length);
      });
    }
    factor = 2;
    expect(() => tf.tidy(() => call({x: tf.ones([3])}))).toThrow(/was 1 and is 2\./); // its second call
  });

  test.each<[what: string, run: () => TensorFunction, message: RegExp]>([
    [
      'a value read back',
      () => (inputs) => ({y: tf.mul(of(inputs, 'x'), tf.sum(of(inputs, 'x')).dataSync()[0] ?? 0)}),
      /reads a value back to JavaScript after Sum;.*Return the tensor, and read it outside/s,
    ],
    [
      'a random draw',
      () => (inputs) => ({y: tf.add(of(inputs, 'x'), tf.randomUniform([3]))}),
      /the constant that Add takes was \[3\] of .* and is \[3\] of .*must be an input tensor/s,
    ],
    [
      'a number that changes from step to step',
      () => {
        let step = 0;
        return (inputs) => ({y: tf.mul(of(inputs, 'x'), ++step)});
      },
      /the constant that Mul takes was \d+ and is \d+\./,
    ],
    [
      'a tensor of the outside',
      () => {
        const outside = tf.tensor1d([1, 1, 1]);
        tf.add(outside, 1).dispose(); // uploaded before the function is recorded
        return (inputs) => ({y: tf.sub(of(inputs, 'x'), outside)});
      },
      /^Sub uses a tensor that is not among the inputs/,
    ],
    [
      'a branch that changes',
      () => {
        let step = 0;
        return (inputs) => ({y: step++ % 2 === 0 ? tf.exp(of(inputs, 'x')) : tf.sqrt(of(inputs, 'x'))});
      },
      /operation 0 was (?:Sqrt and is Exp|Exp and is Sqrt)/,
    ],
    [
      'an attribute that changes',
      () => {
        let step = 0;
        return (inputs) => ({y: tf.sum(tf.reshape(of(inputs, 'x'), [1, 3]), 1, step++ > 0)});
      },
      /Sum has another keep_dims|operation \d+ was|ends before|goes on with/,
    ],
  ])('%s is found when it would be frozen, and named', async (_what, run, message) => {
    await tf.setBackend('tensorflow');
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(calls(run()))).toThrow(message);
    expect(() => tf.tidy(calls(run()))).toThrow(expect.objectContaining({name: 'CaptureError'}));
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 2); // the two tensors of the outside
  });

  test('a number that changes late is found within twice as many calls', async () => {
    await tf.setBackend('tensorflow');
    let round = 0;
    const call = captured(tf, 'changes late', (inputs) => ({y: tf.mul(of(inputs, 'x'), round < 5 ? 1 : 2)}));
    const until = (last: number) => {
      for (round = 1; round <= last; round++) tf.tidy(() => void call({x: tf.tensor1d([round])}));
    };
    expect(() => until(10)).toThrow(/the constant that Mul takes was 1 and is 2\./);
    expect(round).toBe(8);
  });

  test('what changes after the last call that was compared is found at the end, once', async () => {
    await tf.setBackend('tensorflow');
    let factor = 1;
    const before = tf.memory().numTensors;
    const call = captured(tf, 'changes last', (inputs) => ({y: tf.mul(of(inputs, 'x'), factor)}));
    const at = (round: number) => tf.tidy(() => void call({x: tf.tensor1d([round])}));
    forgetCalls();
    for (let round = 1; round <= 5; round++) at(round);
    expect(() => compareCaptured(tf)).not.toThrow();
    factor = 2;
    at(6);
    expect(() => compareCaptured(tf)).toThrow(/the constant that Mul takes was 1 and is 2\./);
    expect(() => compareCaptured(tf)).not.toThrow();
    at(7); // and what another job called is no concern of the next
    forgetCalls();
    expect(() => compareCaptured(tf)).not.toThrow();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('constants read back, and closures that stay the same, are not frozen state', async () => {
    await tf.setBackend('tensorflow');
    const factor = 3;
    const run = calls((inputs) => ({
      y: tf.add(
        tf.gather(of(inputs, 'x'), tf.tensor1d([2, 0], 'int32')),
        tf.mul(tf.scalar(2).dataSync()[0] ?? 0, factor),
      ),
    }));
    expect(() => tf.tidy(run)).not.toThrow();
  });
});
