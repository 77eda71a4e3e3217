import type {Tensor1D} from '@tensorflow/tfjs';
import type {Row} from '../../../src/artifact/kinds.ts';
import {StageError, type StageServices} from '../../../src/stage/define-stage.ts';
import {scalarOf} from '../../tensor/capture/named.ts';
import {permutation} from '../data/permutation.ts';
import {type Evaluation, evaluationRow} from '../evaluate.ts';
import {type BatchBuffer, batchBuffer, checkAugmentation, fillBatch} from '../pictures/batch.ts';
import {type OptimizerState, stepScalars} from './adamw.ts';
import {breather} from './breather.ts';
import type {TrainingHook} from './hook.ts';
import {stepsOf} from './length.ts';
import {decayingWeights} from './parameter-layout.ts';
import type {TrainingParameters} from './parameters.ts';
import {checkpointOf, type Held, resumed, started, stateOf} from './progress.ts';
import {scheduleFactor} from './schedule.ts';
import {evaluateFlat, type Task} from './task.ts';
import {capturedStep, stateIn} from './train-step.ts';

/** How many steps there are. */
export interface TrainingLength {
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

interface Trained {
  readonly flat: Float32Array;
  readonly metrics: readonly Row[];
  readonly evals: readonly Row[];
  /** The last evaluation of every split there is besides train. */
  readonly final: readonly Held[];
}

/** Weight of the past in `loss_ema`; the mean is bias-corrected, so that its first value is the first loss. */
const EMA = 0.98;

export function trainingLength(task: Task, {length, batch}: TrainingParameters): TrainingLength {
  const stepsPerEpoch = Math.ceil(task.data.train.n / batch);
  return {stepsPerEpoch, steps: stepsOf(length, stepsPerEpoch)};
}

/** Refuses what would only show after hours, or never. */
function check(task: Task, params: TrainingParameters, steps: number): void {
  if (task.model.dropout > 0) {
    throw new StageError(
      `The model drops out units with probability ${task.model.dropout}, and basin does not train with dropout yet.`,
      'Load it with its dropout probabilities set to 0.',
    );
  }
  if (params.schedule.warmup > 0 && params.schedule.warmup >= steps) {
    throw new StageError(
      `A warm-up of ${params.schedule.warmup} steps leaves none of ${steps}.`,
      'Shorten `schedule.warmup`, or lengthen `length`.',
    );
  }
  checkAugmentation(params.augment, task.data.train);
}

/** Trains the task's network: the bare loop. Memory stays flat; a loss that is not finite stops it with a StageError. */
export async function train(
  task: Task,
  params: TrainingParameters,
  services: StageServices,
  hook: TrainingHook = {},
): Promise<Trained> {
  const {tf} = services;
  const {model, layout, data} = task;
  const {stepsPerEpoch, steps} = trainingLength(task, params);
  check(task, params, steps);
  const breathe = breather();
  const buffer = batchBuffer(task.preprocessing, Math.min(params.batch, data.train.n));
  const decays = params.decay === 'weights' ? tf.tensor1d(decayingWeights(layout)) : undefined;
  const stepOf = capturedStep(tf, {model, layout, clip: params.clip}, hook);
  let state: OptimizerState = tf.tidy(() => {
    const loaded = tf.tensor1d(task.start);
    return {
      flat: hook.start?.(loaded) ?? loaded,
      m: tf.zeros<typeof loaded.rankType>([layout.size]),
      v: tf.zeros<typeof loaded.rankType>([layout.size]),
    };
  });
  const saved = await services.checkpoints.load();
  const progress = saved ? resumed(saved, hook) : started();
  const {metrics, evals} = progress;
  if (saved) {
    tf.dispose([state.flat, state.m, state.v]);
    state = stateOf(tf, saved);
    services.log(`Goes on after step ${progress.step} of ${steps}, from a checkpoint.`);
  }
  let order: Uint32Array = new Uint32Array(0);
  const due = (step: number): boolean =>
    step === steps || (step > 0 && params.evaluate_every !== undefined && step % params.evaluate_every === 0);
  const evaluateIfDue = async (step: number): Promise<void> => {
    if (!due(step) || evals.some((row) => row.step === step)) return;
    progress.final = await evaluateHeldOut(task, state.flat, services, hook);
    evals.push(...progress.final.map((row) => ({step, ...row})));
  };
  try {
    await evaluateIfDue(progress.step);
    for (let step = progress.step + 1; step <= steps; step++) {
      const epoch = Math.floor((step - 1) / stepsPerEpoch);
      const place = (step - 1) % stepsPerEpoch;
      if (place === 0 || order.length === 0) order = permutation(data.train.n, params.seed.order, 'order', epoch);
      const indices = order.subarray(place * params.batch, (place + 1) * params.batch);
      fillBatch(buffer, data.train, indices, task.preprocessing, {
        augment: params.augment,
        seed: params.seed.augment,
        epoch,
      });
      const lr = params.lr * scheduleFactor(params.schedule, step - 1, steps);
      const next = advance(step, lr, indices.length);
      tf.dispose([state.flat, state.m, state.v]);
      state = next.state;
      if (!Number.isFinite(next.loss)) throw diverged(step, next.loss);
      progress.step = step;
      progress.ema = EMA * progress.ema + (1 - EMA) * next.loss;
      metrics.push({
        step,
        epoch: step / stepsPerEpoch,
        loss: next.loss,
        loss_ema: progress.ema / (1 - EMA ** step),
        lr,
        ...hook.columns?.(),
      });
      services.progress({step, steps, epoch: step / stepsPerEpoch, loss: next.loss});
      await breathe();
      await services.checkpoints.offer(() => checkpointOf(progress, state, hook));
      services.signal.throwIfAborted();
      await evaluateIfDue(step);
    }
    return {flat: state.flat.dataSync<'float32'>().slice(), metrics, evals, final: progress.final};
  } finally {
    tf.dispose([state.flat, state.m, state.v, ...(decays ? [decays] : [])]);
  }

  function advance(step: number, lr: number, n: number): {state: OptimizerState; loss: number} {
    const {loss, ...next} = tf.tidy(() => {
      const batch = batchTensors(services, buffer, task, n);
      const scalars = stepScalars(tf, step, lr, params.weight_decay);
      const given = stepOf({...state, ...batch, ...scalars, ...(decays && {decays}), ...hook.inputs?.(step)});
      const {flat, m, v} = stateIn(given);
      return {flat: hook.afterStep?.(step, {...given, flat}) ?? flat, m, v, loss: scalarOf(given, 'loss')};
    });
    const [value = Number.NaN] = loss.dataSync<'float32'>();
    loss.dispose();
    return {state: next, loss: value + 0}; // never −0, the loss of a batch without doubt, which a checkpoint would give back as 0
  }
}

function batchTensors({tf}: StageServices, buffer: BatchBuffer, {preprocessing}: Task, n: number) {
  const {channels, size} = preprocessing;
  return {
    pictures: tf.tensor4d(buffer.pixels.subarray(0, n * channels * size * size), [n, channels, size, size]),
    labels: tf.tensor1d(buffer.labels.subarray(0, n), 'int32'),
  };
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
