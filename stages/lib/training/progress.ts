import type {Tensor1D} from '@tensorflow/tfjs';
import {z} from 'zod';
import type {Row} from '../../../src/artifact/kinds.ts';
import type {Checkpoint} from '../../../src/stage/checkpoint.ts';
import type {Tf} from '../../tensor/library.ts';
import type {TrainingHook} from './hook.ts';
import type {TrainingState} from './train-step.ts';

/** A row of the last evaluation of a split. */
export type Held = Row & {readonly split: string};

/** How far a training is, besides its tensors. */
export interface TrainingProgress {
  /** Steps done. */
  step: number;
  /** Running mean of the loss, not yet corrected for its start. */
  ema: number;
  readonly metrics: Row[];
  readonly evals: Row[];
  /** The last evaluation of every split there is besides train. */
  final: readonly Held[];
}

const row = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const positionSchema = z.object({
  step: z.int(),
  ema: z.number(),
  metrics: z.array(row),
  evals: z.array(row),
  final: z.array(row.and(z.object({split: z.string()}))),
  hook: z.json(),
});

/** A hook's arrays stand beside the optimizer's under names of their own. */
const HOOK = 'hook.';

/** A training that begins after a step. */
export const started = (step: number): TrainingProgress => ({step, ema: 0, metrics: [], evals: [], final: []});

/** Everything that a training needs to go on: numbers as JSON writes doubles, which is exact, and float32 arrays. */
export function checkpointOf(
  {step, ema, metrics, evals, final}: TrainingProgress,
  state: TrainingState,
  hook: TrainingHook,
): Checkpoint {
  const own = hook.snapshot?.() ?? {position: null, arrays: {}};
  const values = Object.entries(state).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]);
  const ofHook = Object.entries(own.arrays).map(([name, array]) => [`${HOOK}${name}`, array]);
  return {
    position: {step, ema, metrics, evals, final, hook: own.position},
    arrays: Object.fromEntries([...values, ...ofHook]),
  };
}

/** The progress that a checkpoint holds, the hook put back to where it was. */
export function resumed(checkpoint: Checkpoint, hook: TrainingHook): TrainingProgress {
  const {hook: position, ...progress} = positionSchema.parse(checkpoint.position);
  const arrays = Object.entries(checkpoint.arrays).flatMap(([name, array]) =>
    name.startsWith(HOOK) ? [[name.slice(HOOK.length), array] as const] : [],
  );
  hook.restore?.({position, arrays: Object.fromEntries(arrays)});
  return progress;
}

/** The parameters of a checkpoint and what its optimizer carried; whoever asks disposes of them. */
export function stateOfCheckpoint(tf: Tf, {arrays}: Checkpoint): TrainingState {
  const own = Object.entries(arrays).filter(([name]) => !name.startsWith(HOOK));
  const {flat, ...carried} = Object.fromEntries(
    own.map(([name, array]): [string, Tensor1D] => [name, tf.tensor1d(array)]),
  );
  if (!flat) throw new Error('Internal error: a checkpoint of a training without its parameters');
  return {...carried, flat};
}
