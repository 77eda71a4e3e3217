import type {Tensor1D} from '@tensorflow/tfjs';
import {vectorOf} from '../../tensor/capture/named.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Scorer} from './scorer.ts';

/**
 * Movement (Sanh et al. 2020): S = −Σ θ·g over all steps, with the clipped gradient and the weight it was taken at. It is high for
 * weights that training moves away from 0.
 */
export function movementScorer(tf: Tf, prunable: number): Scorer {
  let movement: Tensor1D = tf.zeros([prunable]);
  const replace = (next: Tensor1D): void => {
    movement.dispose();
    movement = tf.keep(next);
  };
  return {
    firstStep: 1,
    inputs: () => ({movement}),
    afterUpdate: (_flat, gradient, inputs) => {
      const [before, old] = [vectorOf(inputs, 'movement'), vectorOf(inputs, 'flat')];
      const product = tf.mul(old.slice(0, prunable), gradient.slice(0, prunable));
      return {movement: tf.sub(before, product)};
    },
    afterStep: (_step, given) => replace(vectorOf(given, 'movement')),
    scores: () => movement.dataSync<'float32'>(),
    snapshot: () => ({movement: movement.dataSync<'float32'>()}),
    restore: ({movement: saved}) => replace(tf.tensor1d(saved ?? new Float32Array(prunable))),
    dispose: () => movement.dispose(),
  };
}
