import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';

/** A value, what its gradient needs, and the gradient: one tensor for each input, in their order. */
export interface Differentiated {
  readonly value: Tensor;
  readonly saved: readonly Tensor[];
  gradient(dy: Tensor, saved: (index: number) => Tensor): Tensor[];
}

/** Runs `forward` as one operation of the tape whose gradient with respect to `inputs` is written by hand. */
export function withHandGradient(tf: Tf, inputs: readonly Tensor[], forward: () => Differentiated): Tensor {
  const operation = tf.customGrad((...given) => {
    const save = given.at(-1);
    if (typeof save !== 'function') throw new Error('Internal error: customGrad gave no function to save with');
    const {value, saved, gradient} = forward();
    save([...saved]);
    return {
      value,
      gradFunc: (dy, kept) =>
        gradient(dy, (index) => {
          const tensor = kept[index];
          if (tensor === undefined) throw new Error('Internal error: a gradient asked for what was not saved');
          return tensor;
        }),
    };
  });
  return operation(...inputs);
}
