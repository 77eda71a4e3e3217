import type {Tensor1D} from '@tensorflow/tfjs';
import type {Row} from '../../../src/artifact/kinds.ts';
import {StageError, type StageServices} from '../../../src/stage/define-stage.ts';
import {type Evaluation, evaluationRow} from '../evaluate.ts';
import {checkAugmentation} from '../pictures/check-augmentation.ts';
import {breather} from './breather.ts';
import type {TrainingHook} from './hook.ts';
import {stepsOf, type TrainingLength} from './length.ts';
import type {TrainingParameters} from './parameters.ts';
import {checkpointOf, type Held, resumed, started, stateOfCheckpoint} from './progress.ts';
import {inSteps, type Schedule, scheduleFactor} from './schedule.ts';
import {type Part, partFault, partOf, refuse, warmupFault} from './span-faults.ts';
import {stepper} from './stepper.ts';
import {evaluateFlat, type Task} from './task.ts';
import type {TrainingState} from './train-step.ts';
import {trainingBatches} from './training-batches.ts';

interface Trained {
  readonly flat: Float32Array;
  readonly metrics: readonly Row[];
  readonly evals: readonly Row[];
  /** The last evaluation of every split there is besides train. */
  readonly final: readonly Held[];
}

/** Weight of the past in `loss_ema`; the mean is bias-corrected, so that its first value is the first loss. */
const EMA = 0.98;

export function trainingLength(task: Task, {length, batch, accumulate}: TrainingParameters): TrainingLength {
  const stepsPerEpoch = Math.ceil(Math.ceil(task.data.train.n / batch) / accumulate);
  return {stepsPerEpoch, steps: stepsOf(length, stepsPerEpoch)};
}

/** Refuses what would only show after hours, or never. */
function check(task: Task, params: TrainingParameters, part: Part, schedule: Schedule, steps: number): void {
  refuse(partFault(part, steps));
  refuse(warmupFault(schedule.warmup, steps));
  checkAugmentation(params.augment, task.data.train, task.preprocessing);
}

/** Trains the task's network: the bare loop. Memory stays flat; a loss that is not finite stops it with a StageError. */
export async function train(
  task: Task,
  params: TrainingParameters,
  services: StageServices,
  hook: TrainingHook = {},
): Promise<Trained> {
  const {tf} = services;
  const length = trainingLength(task, params);
  const {stepsPerEpoch, steps} = length;
  const part = partOf(params, steps, stepsPerEpoch);
  const schedule = inSteps(params.schedule, length);
  check(task, params, part, schedule, steps);
  const {first, last} = part;
  const breathe = breather();
  const saved = await services.checkpoints.load();
  const progress = saved ? resumed(saved, hook) : started(first);
  const {metrics, evals} = progress;
  const stepping = stepper(task, params, services, hook);
  let state: TrainingState = saved ? stateOfCheckpoint(tf, saved) : stepping.start();
  if (saved) services.log(`Goes on after step ${progress.step} of ${steps}, from a checkpoint.`);
  const batches = trainingBatches(task, params, {first: progress.step, last, stepsPerEpoch}, services.log);
  const due = (step: number): boolean =>
    step === last || (step > first && params.evaluate_every !== undefined && step % params.evaluate_every === 0);
  const evaluateIfDue = async (step: number): Promise<void> => {
    if (!due(step) || evals.some((row) => row.step === step)) return;
    progress.final = await evaluateHeldOut(task, state.flat, services, hook);
    evals.push(...progress.final.map((row) => ({step, ...row})));
  };
  try {
    await evaluateIfDue(progress.step);
    for (let step = progress.step + 1; step <= last; step++) {
      const lr = params.lr * scheduleFactor(schedule, step - 1, steps);
      const {state: made, loss} = await stepping.advance(state, {step, own: step - first, lr}, batches.of(step));
      tf.dispose(Object.values(state));
      state = made;
      if (!Number.isFinite(loss)) throw diverged(step, loss);
      progress.step = step;
      progress.ema = EMA * progress.ema + (1 - EMA) * loss;
      metrics.push({
        step,
        epoch: step / stepsPerEpoch,
        loss,
        loss_ema: progress.ema / (1 - EMA ** (step - first)),
        lr,
        ...hook.columns?.(),
      });
      services.progress({step, steps, epoch: step / stepsPerEpoch, loss});
      await breathe();
      await services.checkpoints.offer(() => checkpointOf(progress, state, hook));
      services.signal.throwIfAborted();
      await evaluateIfDue(step);
    }
    return {flat: state.flat.dataSync<'float32'>().slice(), metrics, evals, final: progress.final};
  } finally {
    await batches.close();
    tf.dispose(Object.values(state));
    stepping.dispose();
  }
}

async function evaluateHeldOut(
  task: Task,
  flat: Tensor1D,
  services: StageServices,
  hook: TrainingHook,
): Promise<Trained['final']> {
  const {tf} = services;
  const shown: Tensor1D = tf.tidy(() => hook.evaluated?.(flat) ?? flat.clone());
  try {
    const rows = [];
    for (const split of ['validation', 'test'] as const) {
      const pictures = task.data[split];
      if (!pictures) continue;
      const evaluation: Evaluation = await evaluateFlat(task, shown, pictures, services);
      rows.push(evaluationRow(split, evaluation));
    }
    return rows;
  } finally {
    shown.dispose();
  }
}

const diverged = (step: number, loss: number): StageError =>
  new StageError(
    `The loss became ${Number.isNaN(loss) ? 'not a number' : 'infinite'} at step ${step}.`,
    'Lower lr, add warm-up steps to `schedule`, or set `clip: 1`.',
  );
