import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import type {Model} from '../../stages/lib/models/model.ts';
import type {Tf} from '../../stages/tensor/library.ts';

export type Step = {
  readonly loss: number;
  readonly logits: Float32Array;
  readonly gradients: {readonly [name: string]: Float32Array};
};

const floats = (tensor: Tensor): Float32Array => Float32Array.from(tensor.dataSync());

/** Mean cross-entropy of a batch and its gradient by every parameter; leaves no tensor behind. */
export function lossAndGradients(
  tf: Tf,
  model: Model,
  tensors: ReadonlyMap<string, {readonly shape: readonly number[]; readonly values: Float32Array}>,
  pictures: {readonly shape: readonly number[]; readonly values: Float32Array},
  labels: readonly number[],
): Step {
  return tf.tidy(() => {
    const names = model.parameters.map(({name}) => name);
    const values = names.map((name) => {
      const {shape, values: numbers} = tensors.get(name) ?? {shape: [0], values: new Float32Array()};
      return tf.tensor(numbers, [...shape]);
    });
    const [batch = 0, channels = 0, height = 0, width = 0] = pictures.shape;
    const input: Tensor4D = tf.tensor4d(pictures.values, [batch, channels, height, width]);
    const targets = tf.oneHot(tf.tensor1d([...labels], 'int32'), model.labels).toFloat();
    const named = (given: Tensor[]) => Object.fromEntries(names.map((name, index) => [name, given[index] ?? input]));
    const loss = (...given: Tensor[]) =>
      tf
        .neg(tf.sum(tf.mul(targets, tf.logSoftmax(model.forward(tf, named(given), input)))))
        .div(batch)
        .asScalar();
    const {value, grads} = tf.valueAndGrads((...given: Tensor[]) => loss(...given))(values);
    return {
      loss: floats(value)[0] ?? Number.NaN,
      logits: floats(model.forward(tf, named(values), input)),
      gradients: Object.fromEntries(names.map((name, index) => [name, floats(grads[index] ?? tf.zeros([0]))])),
    };
  });
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((top, x) => Math.max(top, Math.abs(x)), 0);

export const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

/** Largest difference, relative to the largest of the expected. */
export const relativeError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  largest(Array.from(expected, (value, index) => value - (actual[index] ?? Number.NaN))) / largest(expected);
