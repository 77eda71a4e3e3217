import type {Tensor1D} from '@tensorflow/tfjs';
import {captured} from '../../tensor/capture/captured.ts';
import {scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import {windowMean} from '../../tensor/fused/window-mean.ts';
import type {Tf} from '../../tensor/library.ts';
import {firstScored} from './score.ts';
import type {Scorer} from './scorer.ts';
import {closeWindow, type ScoreDecay, type ScoreState, scoresOf} from './scores.ts';

interface PlatonScorer extends Scorer {
  /** The scores' memory; its tensors live until `dispose`. */
  state(): ScoreState;
}

/**
 * PLATON (Zhang et al. 2022): the updated weight times the clipped gradient, averaged over windows of `interval` steps, and what is
 * smoothed from that (docs/science/pruning.md).
 */
export function platonScorer(
  tf: Tf,
  prunable: number,
  {interval, ...decay}: ScoreDecay & {readonly interval: number},
): PlatonScorer {
  const zeros = (): Tensor1D => tf.zeros([prunable]);
  let state: ScoreState = {window: zeros(), importance: zeros(), uncertainty: zeros()};

  const close = captured(tf, 'end of a PLATON window', (inputs) => {
    const [window, importance, uncertainty] = [
      vectorOf(inputs, 'window'),
      vectorOf(inputs, 'importance'),
      vectorOf(inputs, 'uncertainty'),
    ];
    const {window: _, ...means} = closeWindow(tf, {window, importance, uncertainty}, decay);
    return means;
  });

  /** Takes tensors of a step as the scores' next memory. */
  const remember = (next: Partial<ScoreState>): void => {
    const old = state;
    state = {...state, ...next};
    for (const name of ['window', 'importance', 'uncertainty'] as const) {
      if (state[name] === old[name]) continue;
      tf.keep(state[name]);
      old[name].dispose();
    }
  };

  return {
    firstStep: firstScored('platon', interval),
    inputs: (step) => ({window: state.window, place: tf.scalar(step % interval)}),
    afterUpdate: (weights, gradient, inputs) => {
      const [window, place] = [vectorOf(inputs, 'window'), scalarOf(inputs, 'place')];
      return {window: windowMean(tf, {window, weights, gradient, place})};
    },
    afterStep(step, given) {
      if (step % interval === 0) {
        const means = close({...state});
        remember({importance: vectorOf(means, 'importance'), uncertainty: vectorOf(means, 'uncertainty')});
      }
      remember({window: vectorOf(given, 'window')});
    },
    scores() {
      // not read inside a tidy: it would look for tensors in every number it returns, which takes seconds for a real network
      // at β2 = 1 the uncertainty stays 0, and Pruner.py scores by importance alone
      const scored = decay.beta2 === 1 ? state.importance.clone() : scoresOf(tf, state);
      const scores = scored.dataSync<'float32'>();
      scored.dispose();
      return scores;
    },
    snapshot: () => ({
      window: state.window.dataSync<'float32'>(),
      importance: state.importance.dataSync<'float32'>(),
      uncertainty: state.uncertainty.dataSync<'float32'>(),
    }),
    restore: (arrays) => {
      const tensor = (name: string): Tensor1D => tf.tensor1d(arrays[name] ?? new Float32Array(prunable));
      remember({window: tensor('window'), importance: tensor('importance'), uncertainty: tensor('uncertainty')});
    },
    state: () => state,
    dispose: () => tf.dispose([state.window, state.importance, state.uncertainty]),
  };
}
