import type {Tensor1D} from '@tensorflow/tfjs';
import type {AdamSettings, OptimizerState, StepScalars} from '../../lib/training/adamw.ts';
import {ADAMW} from '../../lib/training/optimizer-settings.ts';
import type {Tf} from '../library.ts';
import {clipFactor, clipFactorDefinition} from './clip.ts';
import {callNative, hasNativeOperations} from './native.ts';

/** What moves the parameters in one step. */
interface Update {
  readonly gradient: Tensor1D;
  /** Largest L2 norm of the whole gradient, or null. */
  readonly clip: number | null;
  readonly scalars: StepScalars;
  /** 1 where weight decay acts and 0 elsewhere; on all when absent. */
  readonly decays?: Tensor1D | undefined;
  /** β .9/.999 and ε 1e-8 when not given. */
  readonly settings?: AdamSettings;
}

/** The next state, and the gradient that made it: clipped. */
type Updated = OptimizerState & {readonly gradient: Tensor1D};

/**
 * One update as torch.optim.AdamW makes it after clip_grad_norm_, by TensorFlow.js: decoupled decay first, then
 * p − stepSize · m / (√v / rootCorrection + ε).
 */
export function adamwDefinition(tf: Tf, {flat, m, v}: OptimizerState, update: Update): Updated {
  const {clip, scalars, decays, settings = ADAMW} = update;
  const {
    betas: [beta1, beta2],
    eps,
  } = settings;
  const raw = update.gradient;
  const gradient: Tensor1D = clip === null ? raw : tf.mul(raw, clipFactorDefinition(tf, raw, clip));
  const nextM: Tensor1D = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
  const nextV: Tensor1D = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  // shrink − 1 is exact (Sterbenz), so where decays is 1 the factor is shrink to the last bit
  const factor = decays ? tf.add(tf.mul(decays, tf.sub(scalars.shrink, 1)), 1) : scalars.shrink;
  const denominator = tf.add(tf.div(tf.sqrt(nextV), scalars.rootCorrection), eps);
  const move = tf.mul(tf.div(nextM, denominator), scalars.stepSize);
  return {flat: tf.sub(tf.mul(flat, factor), move), m: nextM, v: nextV, gradient};
}

const attributesOf = ({betas: [beta1, beta2], eps}: AdamSettings) => ({
  reals: {beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, epsilon: eps},
});

/** One update of AdamW after clipping. Native in two passes, one for the norm and one for the rest, for any length. */
export function adamw(tf: Tf, state: OptimizerState, update: Update): Updated {
  if (!hasNativeOperations(tf)) return adamwDefinition(tf, state, update);
  const {gradient, clip, scalars, decays, settings = ADAMW} = update;
  const factor = clip === null ? tf.scalar(1) : clipFactor(tf, gradient, clip);
  const {shrink, stepSize, rootCorrection} = scalars;
  const inputs = [state.flat, state.m, state.v, gradient, decays ?? tf.zeros([0])];
  const [flat, m, v] = callNative(
    tf,
    'BasinAdamW',
    [...inputs, factor, shrink, stepSize, rootCorrection],
    3,
    attributesOf(settings),
  );
  if (!flat || !m || !v) throw new Error('Internal error: AdamW lacks an output');
  // A captured step leaves the last product out where nobody asks for the clipped gradient.
  return {flat: flat.as1D(), m: m.as1D(), v: v.as1D(), gradient: clip === null ? gradient : tf.mul(gradient, factor)};
}
