import {appendFileSync, readFileSync, writeSync} from 'node:fs';
import {z} from 'zod';
import type {Row} from '../../src/artifact/kinds.ts';
import {defineStage, type Registry, StageError} from '../../src/stage/define-stage.ts';
import mergeLinear from '../../stages/merge-linear.ts';
import select from '../../stages/select.ts';
import {meeting} from './meeting-stage.ts';
import {network, weigh} from './network-stages.ts';

/**
 * Stages that compute next to nothing, for tests of the engine. When the environment variable BASIN_COUNT_FILE names a
 * file, each run appends a line to it, from whichever process it runs in: "STAGE PARAMETERS-AS-JSON".
 */
function count(stage: string, params: unknown): void {
  const file = process.env.BASIN_COUNT_FILE;
  if (file) appendFileSync(file, `${stage} ${JSON.stringify(params)}\n`);
}

const numberIn = (rows: readonly Row[]): number => {
  const value = rows[0]?.value;
  if (typeof value !== 'number') throw new StageError('The summary has no value.');
  return value;
};

const VALUE = {kind: 'summary', doc: 'The number.', columns: {value: 'float64'}} as const;
const NUMBER_INPUT = {kind: 'summary', doc: 'A summary with a value.'} as const;

const number = defineStage({
  name: 'number',
  version: 1,
  doc: 'Gives the number it is told.',
  params: z.strictObject({value: z.number().describe('The number to give.')}),
  inputs: {},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params}) {
    count('number', params);
    return {summary: [{value: params.value}]};
  },
});

const add = defineStage({
  name: 'add',
  version: 1,
  doc: 'Adds two numbers.',
  params: z.strictObject({}),
  inputs: {a: NUMBER_INPUT, b: NUMBER_INPUT},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params, inputs}) {
    count('add', params);
    return {summary: [{value: numberIn(inputs.a) + numberIn(inputs.b)}]};
  },
});

const mod = defineStage({
  name: 'mod',
  version: 1,
  doc: 'The remainder of a number: different inputs often give equal outputs, so that what follows is cut off.',
  params: z.strictObject({by: z.int().min(1).describe('The divisor.')}),
  inputs: {a: NUMBER_INPUT},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params, inputs}) {
    count('mod', params);
    return {summary: [{value: numberIn(inputs.a) % params.by}]};
  },
});

const more = defineStage({
  name: 'more',
  version: 1,
  doc: 'A number more than others, each of which may be missing.',
  params: z.strictObject({by: z.number().describe('How much more.')}),
  inputs: {a: {...NUMBER_INPUT, optional: true}, b: {...NUMBER_INPUT, optional: true}},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params, inputs: {a, b}}) {
    count('more', params);
    return {summary: [{value: params.by + (a ? numberIn(a) : 0) + (b ? numberIn(b) : 0)}]};
  },
});

const atMost = defineStage({
  name: 'at-most',
  version: 1,
  doc: 'The number it is given, or a failure when that is too large.',
  params: z.strictObject({limit: z.number().describe('The largest that passes.')}),
  inputs: {a: NUMBER_INPUT},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params, inputs}) {
    count('at-most', params);
    const value = numberIn(inputs.a);
    if (value > params.limit) throw new StageError(`${value} is more than ${params.limit}.`);
    return {summary: [{value}]};
  },
});

const SCALE_PARAMS = z.strictObject({alpha: z.number().min(0).max(1).describe('Where between nothing and all.')});

const pointAt = (alpha: number, rows: readonly Row[]) => {
  const loss = alpha * numberIn(rows);
  return [{split: 'test', loss, error: 100 * alpha, accuracy: 100 - 100 * alpha, n: 1}];
};

const scale = defineStage({
  name: 'scale',
  version: 1,
  doc: 'A point on the way from 0 to a number.',
  params: SCALE_PARAMS,
  inputs: {a: NUMBER_INPUT},
  outputs: {points: {kind: 'points', doc: 'One row, whose loss is the scaled number.'}},
  computes: 'plain',
  async run({params, inputs}) {
    count('scale', params);
    return {points: pointAt(params.alpha, inputs.a)};
  },
  async *runMany({points, inputs, services}) {
    for (const [index, params] of points.entries()) {
      services.signal.throwIfAborted();
      count('scale', params);
      yield {index, outputs: {points: pointAt(params.alpha, inputs.a)}};
    }
  },
});

const gather = defineStage({
  name: 'gather',
  version: 1,
  doc: 'The sum of the losses of many points, and how many there are.',
  params: z.strictObject({}),
  inputs: {points: {kind: 'points', doc: 'The points.', many: {over: ['alpha']}}},
  outputs: {
    summary: {kind: 'summary', doc: 'Their sum.', columns: {value: 'float64', count: 'int32', last_alpha: 'float64'}},
  },
  computes: 'plain',
  async run({params, inputs}) {
    count('gather', params);
    const value = inputs.points.reduce((sum, row) => sum + Number(row.loss), 0);
    return {summary: [{value, count: inputs.points.length, last_alpha: Number(inputs.points.at(-1)?.alpha ?? -1)}]};
  },
});

const failing = defineStage({
  name: 'fail',
  version: 1,
  doc: 'Fails: with a message for the user, with an exception of ours, or by taking the process down.',
  params: z.strictObject({
    how: z
      .enum(['stage-error', 'exception', 'exit', 'abort', 'block'])
      .default('stage-error')
      .describe('The way in which to fail.'),
  }),
  inputs: {a: {...NUMBER_INPUT, optional: true}},
  outputs: {summary: VALUE},
  computes: 'plain',
  async run({params}) {
    count('fail', params);
    if (params.how === 'exit') process.exit(17);
    if (params.how === 'block') for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    if (params.how === 'abort') {
      for (let line = 1; line <= 25; line++) writeSync(2, `line ${line} of native code\n`);
      process.abort();
    }
    if (params.how === 'exception') throw new Error('Internal error: asked for');
    throw new StageError('This stage always fails.', 'Use another stage.');
  },
});

/** How often a stage with these parameters has run so far, this time included. */
function attempts(stage: string, params: unknown): number {
  count(stage, params);
  const lines = readFileSync(process.env.BASIN_COUNT_FILE ?? '', 'utf8').split('\n');
  return lines.filter((line) => line === `${stage} ${JSON.stringify(params)}`).length;
}

const mortal = defineStage({
  name: 'mortal',
  version: 1,
  doc: 'Takes its process down the first times it runs, each time as soon as it has saved a checkpoint; needs BASIN_COUNT_FILE.',
  params: z.strictObject({
    deaths: z.int().min(0).describe('How often it takes its process down.'),
    seed: z.int().default(0).describe('Tells several apart.'),
  }),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'How many lives it took.', columns: {value: 'float64'}}},
  computes: 'plain',
  async run({params, services}) {
    const attempt = attempts('mortal', params);
    const saved = await services.checkpoints.load();
    const lives = saved && typeof saved.position === 'number' ? saved.position + 1 : 1;
    services.log(`life ${lives}`);
    if (attempt > params.deaths) return {summary: [{value: lives}]};
    // What is offered need not be saved: on a slow machine it may be put off.
    while ((await services.checkpoints.load())?.position !== lives) {
      await services.checkpoints.offer(() => ({position: lives, arrays: {}}));
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.exit(9);
  },
});

const sleeplessTrain = defineStage({
  name: 'sleepless-train',
  version: 1,
  doc: 'Counts steps like a training run, without waiting for anything but the event loop.',
  params: z.strictObject({
    steps: z.int().min(1).describe('Steps to count.'),
    seed: z.int().default(0).describe('Is given back.'),
  }),
  inputs: {},
  outputs: {
    summary: {kind: 'summary', doc: 'Steps done.', columns: {value: 'float64', seed: 'int32'}},
    metrics: {kind: 'metrics', doc: 'A row for each of the first ten steps.'},
  },
  computes: 'plain',
  async run({params, services}) {
    count('sleepless-train', params);
    const metrics: Row[] = [];
    for (let step = 1; step <= params.steps; step++) {
      services.signal.throwIfAborted();
      const loss = 1 / step;
      services.progress({step, steps: params.steps, loss});
      if (step <= 10) metrics.push({step, epoch: step / params.steps, loss, loss_ema: loss, lr: 0.1});
      await new Promise((resolve) => setImmediate(resolve));
    }
    return {summary: [{value: params.steps, seed: params.seed}], metrics};
  },
});

/** By name, as the composition roots register the real ones. */
export const countingStages: Registry = new Map(
  [
    number,
    add,
    mod,
    more,
    atMost,
    scale,
    gather,
    failing,
    mortal,
    sleeplessTrain,
    meeting,
    network,
    weigh,
    select,
    mergeLinear,
  ].map((stage) => [stage.name, stage]),
);
