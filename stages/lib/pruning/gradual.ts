import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Tf} from '../../tensor/library.ts';
import {allFinite} from '../all-finite.ts';
import type {TrainingHook} from '../training/hook.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';
import {refuse} from '../training/span-faults.ts';
import {phasesFault, scoresFault} from './gradual-parameters.ts';
import {masked} from './masks.ts';
import {refuseNothingToPrune} from './prunable.ts';
import {type PruningSchedule, remaining} from './schedule.ts';
import type {Scorer} from './scorer.ts';
import {type Selection, type SelectionMethod, select} from './selection.ts';

interface GradualSettings {
  readonly schedule: PruningSchedule;
  readonly method: SelectionMethod;
  readonly scorer: Scorer;
}

const roundSchema = z.object({
  step: z.int(),
  ratio: z.number(),
  threshold: z.number(),
  kept: z.int(),
  regrown: z.int(),
});
const positionSchema = z.object({rounds: z.array(roundSchema), masksNow: z.boolean()});

/** One choice of what stays: `ratio` is the schedule's, `kept` and `regrown` count weights. */
type Round = Readonly<z.output<typeof roundSchema>>;

interface Gradual extends TrainingHook {
  /** What the last masking kept, of the prunable front. */
  selection(): Selection | undefined;
  rounds(): readonly Round[];
  dispose(): void;
}

/** Refuses what would only show after hours, or never. */
function check({prunable}: Pick<ParameterLayout, 'prunable'>, {schedule, scorer}: GradualSettings): void {
  const {keep} = schedule;
  refuse(phasesFault(schedule));
  refuseNothingToPrune({prunable});
  if (Math.round(prunable * keep) === 0) {
    const least = (1 / prunable).toPrecision(2);
    throw new StageError(`keep: ${keep} of ${prunable} prunable weights is not one weight.`, `Keep at least ${least}.`);
  }
  refuse(scoresFault(schedule, scorer.firstStep));
}

/**
 * Gradual pruning as a hook: at the schedule's steps it sets to zero the prunable weights whose scores are not among the schedule's fraction
 * of the highest. Between two such steps the network is dense and pruned weights may grow back; in the final phase every step
 * masks. Gradients and optimizer state are not masked (docs/science/pruning.md).
 */
export function gradual(
  tf: Tf,
  layout: Pick<ParameterLayout, 'size' | 'prunable'>,
  settings: GradualSettings,
): Gradual {
  const {schedule, method, scorer} = settings;
  const {prunable} = layout;
  check(layout, settings);
  const rounds: Round[] = [];
  let selection: Selection | undefined;
  let kept: Tensor1D | undefined;
  let masksNow = false;

  const choose = (chosen: Selection): void => {
    selection = chosen;
    const all = new Uint8Array(layout.size).fill(1);
    all.set(chosen.bits);
    kept?.dispose();
    kept = tf.keep(tf.tensor1d(all, 'bool'));
  };

  /** Selects anew when the ratio has moved since the last time, and where the scores are asked for again. */
  const refresh = (step: number, ratio: number, flat: Tensor1D): void => {
    if (!scorer.everyStep && ratio === rounds.at(-1)?.ratio && step % schedule.interval !== 0) return;
    const scores = scorer.scores(flat);
    if (!allFinite(scores)) {
      throw new StageError(`The scores stopped being finite at step ${step}.`, 'Lower lr, or set `clip: 1`.');
    }
    const before = selection?.bits;
    // before there are scores nothing tells weights apart, and all stay
    const chosen = select(method, scores, step < scorer.firstStep ? 1 : ratio);
    choose(chosen);
    const regrown = before ? added(before, chosen.bits) : 0;
    rounds.push({step, ratio, threshold: chosen.threshold, kept: chosen.kept, regrown});
  };

  return {
    inputs: (step) => scorer.inputs?.(step) ?? {},
    afterUpdate: (flat, gradient, inputs) => ({flat, ...scorer.afterUpdate?.(flat, gradient, inputs)}),
    afterStep(step, {flat, ...given}) {
      scorer.afterStep?.(step, given);
      const {ratio, masks} = remaining(schedule, step);
      masksNow = masks;
      if (!masks) return flat;
      refresh(step, ratio, flat);
      return kept ? masked(tf, kept, flat) : flat;
    },
    evaluated: (flat) => (kept ? masked(tf, kept, flat) : flat.clone()),
    columns: () => ({
      kept: masksNow && selection ? selection.kept / prunable : 1,
      threshold: selection?.threshold ?? 0,
    }),
    snapshot: () => ({
      position: {rounds, masksNow},
      arrays: {...scorer.snapshot?.(), ...(selection && {bits: Float32Array.from(selection.bits)})},
    }),
    restore: ({position, arrays}) => {
      scorer.restore?.(arrays);
      const saved = positionSchema.parse(position);
      rounds.push(...saved.rounds);
      masksNow = saved.masksNow;
      const last = saved.rounds.at(-1);
      if (last && arrays.bits) choose({...last, bits: Uint8Array.from(arrays.bits)});
    },
    selection: () => selection,
    rounds: () => rounds,
    dispose: () => {
      scorer.dispose?.();
      kept?.dispose();
    },
  };
}

/** How many weights stay now that did not before. */
function added(before: Uint8Array, now: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < now.length; index++) if (now[index] === 1 && before[index] === 0) sum++;
  return sum;
}
