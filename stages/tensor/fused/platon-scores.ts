import type {Tensor1D} from '@tensorflow/tfjs';
import type {ScoreDecay, ScoreState} from '../../lib/pruning/scores.ts';
import type {Tf} from '../library.ts';
import {callNative, callNativeSingle, hasNativeOperations} from './native.ts';

/** One step as the scores see it. */
interface ScoredStep {
  /** All parameters, and their gradient as the optimizer got it; what can be pruned is their front. */
  readonly weights: Tensor1D;
  readonly gradient: Tensor1D;
  /** The step's number mod ΔT. */
  readonly place: number;
}

/**
 * Takes one step's weights and gradients into account, as PLATON's published code does (science §1.2; Pruner.py at
 * c1776cf), by TensorFlow.js. At place 0 the window that has just ended enters the exponential means and a new one starts
 * with this step, so means lag by one window; elsewhere only the window's mean moves.
 */
export function updateScoresDefinition(
  tf: Tf,
  state: ScoreState,
  {weights, gradient, place}: ScoredStep,
  {beta1, beta2}: ScoreDecay,
): ScoreState {
  const {size} = state.window;
  const sensitivity: Tensor1D = tf.abs(tf.mul(weights.slice(0, size), gradient.slice(0, size)));
  if (place !== 0) {
    const window: Tensor1D = tf.div(tf.add(tf.mul(state.window, tf.scalar(place)), sensitivity), tf.scalar(place + 1));
    return {...state, window};
  }
  const importance: Tensor1D = tf.add(tf.mul(state.importance, beta1), tf.mul(state.window, 1 - beta1));
  const deviation = tf.abs(tf.sub(state.window, importance));
  const uncertainty: Tensor1D = tf.add(tf.mul(state.uncertainty, beta2), tf.mul(deviation, 1 - beta2));
  return {window: sensitivity, importance, uncertainty};
}

/** PLATON's scores after a step; what did not move is handed back as it is. One native pass, for any length. */
export function updateScores(tf: Tf, state: ScoreState, step: ScoredStep, decay: ScoreDecay): ScoreState {
  if (!hasNativeOperations(tf)) return updateScoresDefinition(tf, state, step, decay);
  const {weights, gradient, place} = step;
  if (place !== 0) {
    const inputs = [state.window, weights, gradient, tf.scalar(place)];
    return {...state, window: callNativeSingle(tf, 'BasinScoreStep', inputs).as1D()};
  }
  const {beta1, beta2} = decay;
  const [window, importance, uncertainty] = callNative(
    tf,
    'BasinScoreTurn',
    [state.window, state.importance, state.uncertainty, weights, gradient],
    3,
    {reals: {beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2}},
  );
  if (!window || !importance || !uncertainty) throw new Error("Internal error: PLATON's scores lack an output");
  return {window: window.as1D(), importance: importance.as1D(), uncertainty: uncertainty.as1D()};
}
