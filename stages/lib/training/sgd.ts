import type {Tensor1D} from '@tensorflow/tfjs';
import {scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import type {Tensors} from '../../tensor/capture/record.ts';
import type {Tf} from '../../tensor/library.ts';
import type {Moved} from './optimizer.ts';

interface SgdSettings {
  readonly momentum: number;
  readonly nesterov: boolean;
}

/**
 * torch.optim.SGD (Sutskever et al. 2013, in PyTorch's variant): m ← momentum · m + fresh · g, where `fresh` is 1 at the first step and
 * 1 − dampening after it; θ ← θ − lr · (m, or g + momentum · m under Nesterov). The rate is outside of m.
 */
export function sgdMove(
  tf: Tf,
  {momentum, nesterov}: SgdSettings,
  inputs: Tensors,
  gradient: Tensor1D,
): Pick<Moved, 'flat' | 'carried'> {
  const [flat, lr] = [vectorOf(inputs, 'flat'), scalarOf(inputs, 'lr')];
  if (momentum === 0) return {flat: tf.sub(flat, tf.mul(gradient, lr)), carried: {}};
  const m: Tensor1D = tf.add(tf.mul(vectorOf(inputs, 'm'), momentum), tf.mul(gradient, scalarOf(inputs, 'fresh')));
  const direction: Tensor1D = nesterov ? tf.add(gradient, tf.mul(m, momentum)) : m;
  return {flat: tf.sub(flat, tf.mul(direction, lr)), carried: {m}};
}
