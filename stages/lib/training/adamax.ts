import type {Tensor1D} from '@tensorflow/tfjs';
import {scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import type {Tensors} from '../../tensor/capture/record.ts';
import type {Tf} from '../../tensor/library.ts';
import type {AdamSettings} from './adamw.ts';
import type {Moved} from './optimizer.ts';

/**
 * Adamax as PLATON's GLUE code has it (module/bert_optim.py at c1776cf): m ← β1 m + (1 − β1) g; u ← max(β2 u, |g| + ε);
 * θ ← θ − lr · (m / (u + ε) + weight_decay · θ). Unlike Kingma & Ba's algorithm 2 nothing is corrected for the start, and ε is added twice.
 */
export function adamaxMove(
  tf: Tf,
  {betas: [beta1, beta2], eps}: AdamSettings,
  inputs: Tensors,
  gradient: Tensor1D,
): Pick<Moved, 'flat' | 'carried'> {
  const [flat, shrink] = [vectorOf(inputs, 'flat'), scalarOf(inputs, 'shrink')];
  const m: Tensor1D = tf.add(tf.mul(vectorOf(inputs, 'm'), beta1), tf.mul(gradient, 1 - beta1));
  const u: Tensor1D = tf.maximum(tf.mul(vectorOf(inputs, 'u'), beta2), tf.add(tf.abs(gradient), eps));
  const kept = 'decays' in inputs ? tf.add(tf.mul(vectorOf(inputs, 'decays'), tf.sub(shrink, 1)), 1) : shrink;
  const move = tf.mul(tf.div(m, tf.add(u, eps)), scalarOf(inputs, 'lr'));
  return {flat: tf.sub(tf.mul(flat, kept), move), carried: {m, u}};
}
