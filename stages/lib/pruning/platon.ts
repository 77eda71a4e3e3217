import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import {StageError} from '../../../src/stage/define-stage.ts';
import {captured} from '../../tensor/capture/captured.ts';
import {scalarOf, vectorOf} from '../../tensor/capture/named.ts';
import {windowMean} from '../../tensor/fused/window-mean.ts';
import type {Tf} from '../../tensor/library.ts';
import {allFinite} from '../all-finite.ts';
import type {TrainingHook} from '../training/hook.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';
import {masked} from './masks.ts';
import {type PruningSchedule, remaining} from './schedule.ts';
import {closeWindow, type ScoreDecay, type ScoreState, scoresOf} from './scores.ts';
import {type Selection, type SelectionMethod, select} from './selection.ts';

interface PlatonSettings extends ScoreDecay {
  readonly schedule: PruningSchedule;
  readonly method: SelectionMethod;
}

const selectionSchema = z
  .object({kept: z.int(), threshold: z.number(), ratio: z.number(), masksNow: z.boolean()})
  .nullable();

interface Platon extends TrainingHook {
  /** What the last masking kept, of the prunable front. */
  selection(): Selection | undefined;
  /** The scores' memory; its tensors live until `dispose`. */
  scores(): ScoreState;
  dispose(): void;
}

/**
 * PLATON (Zhang et al. 2022) as a hook: after every update it scores the prunable weights by the updated weight times the
 * clipped gradient, and every ΔT steps sets those outside the schedule's fraction to zero. Between two such steps the network is dense and
 * pruned weights may grow back; in the final phase every step masks. Gradients and optimizer state are not masked (science §1.2).
 */
export function platon(tf: Tf, layout: Pick<ParameterLayout, 'size' | 'prunable'>, settings: PlatonSettings): Platon {
  const {schedule, method} = settings;
  const {prunable} = layout;
  if (prunable === 0)
    throw new StageError(
      'The network has no weights that can be pruned.',
      'Prune a vit, or an mlp with hidden layers.',
    );
  const zeros = (): Tensor1D => tf.zeros([prunable]);
  let state: ScoreState = {window: zeros(), importance: zeros(), uncertainty: zeros()};
  let selection: Selection | undefined;
  let kept: Tensor1D | undefined;
  let ratioOfSelection = Number.NaN;
  let masksNow = false;

  const close = captured(tf, 'end of a PLATON window', (inputs) => {
    const [window, importance, uncertainty] = [
      vectorOf(inputs, 'window'),
      vectorOf(inputs, 'importance'),
      vectorOf(inputs, 'uncertainty'),
    ];
    const {window: _, ...means} = closeWindow(tf, {window, importance, uncertainty}, settings);
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

  /** Selects anew when the scores or the ratio have moved since the last time: at most every ΔT steps. */
  const refresh = (step: number, ratio: number): void => {
    if (selection && ratio === ratioOfSelection && step % schedule.interval !== 0) return;
    // not read inside a tidy: it would look for tensors in every number it returns, which takes seconds for a real network
    const product = scoresOf(tf, state);
    const scores = product.dataSync<'float32'>();
    product.dispose();
    if (!allFinite(scores)) {
      throw new StageError(`PLATON's scores stopped being finite at step ${step}.`, 'Lower lr, or set `clip: 1`.');
    }
    choose(select(method, scores, ratio), ratio);
  };

  const choose = (chosen: Selection, ratio: number): void => {
    selection = chosen;
    ratioOfSelection = ratio;
    const all = new Uint8Array(layout.size).fill(1);
    all.set(chosen.bits);
    kept?.dispose();
    kept = tf.keep(tf.tensor1d(all, 'bool'));
  };

  return {
    inputs: (step) => ({window: state.window, place: tf.scalar(step % schedule.interval)}),
    afterUpdate: (flat, gradient, inputs) => {
      const [window, place] = [vectorOf(inputs, 'window'), scalarOf(inputs, 'place')];
      return {flat, window: windowMean(tf, {window, weights: flat, gradient, place})};
    },
    afterStep(step, {flat, ...given}) {
      if (step % schedule.interval === 0) {
        const means = close({...state});
        remember({importance: vectorOf(means, 'importance'), uncertainty: vectorOf(means, 'uncertainty')});
      }
      remember({window: vectorOf(given, 'window')});
      const {ratio, masks} = remaining(schedule, step);
      masksNow = masks;
      if (!masks) return flat;
      refresh(step, ratio);
      return kept ? masked(tf, kept, flat) : flat;
    },
    evaluated: (flat) => (kept ? masked(tf, kept, flat) : flat.clone()),
    columns: () => ({
      kept: masksNow && selection ? selection.kept / prunable : 1,
      threshold: selection?.threshold ?? 0,
    }),
    snapshot: () => ({
      position: selection
        ? {kept: selection.kept, threshold: selection.threshold, ratio: ratioOfSelection, masksNow}
        : null,
      arrays: {
        window: state.window.dataSync<'float32'>(),
        importance: state.importance.dataSync<'float32'>(),
        uncertainty: state.uncertainty.dataSync<'float32'>(),
        ...(selection && {bits: Float32Array.from(selection.bits)}),
      },
    }),
    restore: ({position, arrays}) => {
      const tensor = (name: string): Tensor1D => tf.keep(tf.tensor1d(arrays[name] ?? new Float32Array(prunable)));
      tf.dispose([state.window, state.importance, state.uncertainty]);
      state = {window: tensor('window'), importance: tensor('importance'), uncertainty: tensor('uncertainty')};
      const chosen = selectionSchema.parse(position);
      if (!chosen || !arrays.bits) return;
      choose({kept: chosen.kept, threshold: chosen.threshold, bits: Uint8Array.from(arrays.bits)}, chosen.ratio);
      masksNow = chosen.masksNow;
    },
    selection: () => selection,
    scores: () => state,
    dispose: () => tf.dispose([state.window, state.importance, state.uncertainty, ...(kept ? [kept] : [])]),
  };
}
