import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {BACKEND} from '../cli/basin.ts';
import {type Killed, killAtRandom} from './kill-at-random.ts';

/** Every run of the tests takes a few, `npm run check:all` a hundred, and BASIN_KILLS=500 as many as one wants to wait for. */
const KILLS = Number(process.env.BASIN_KILLS ?? (process.env.BASIN_ALL ? 100 : 12));
const TRAINING_KILLS = process.env.BASIN_ALL ? 30 : 6;

const folder = mkdtempSync(join(tmpdir(), 'basin-kill-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}), 60_000);

function written(name: string, files: Readonly<Record<string, string>>): {folder: string; pipeline: string} {
  const own = join(folder, name);
  mkdirSync(own);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
  return {folder: own, pipeline: join(own, 'pipeline.yaml')};
}

function expectBothHit({driver, worker, rounds, resumed}: Killed): void {
  console.info(
    `${driver} drivers and ${worker} workers were killed in ${rounds} rounds; ${resumed} times a checkpoint was left.`,
  );
  expect(driver).toBeGreaterThan(0);
  expect(worker).toBeGreaterThan(0);
}

/** Nothing but processor time, so that what is hit is the engine; the two long ones are there to be gone on with. */
const WORK = {
  'pipeline.yaml': `stages:
  long: {uses: ./work.ts, with: {steps: 1000}, sweep: {seed: [1, 2]}}
  short: {uses: ./work.ts, in: {after: long.summary}, with: {steps: 10}, sweep: {seed: {range: [1, 12, 1]}}}
  alone: {uses: ./work.ts, with: {steps: 10}, sweep: {seed: {range: [1, 12, 1]}}}
`,
  'work.ts': `import {hash} from 'node:crypto';
import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'work',
  doc: 'Digests of digests.',
  params: z.strictObject({seed: z.int().describe('Where it starts.'), steps: z.int().describe('How long it takes.')}),
  inputs: {after: {kind: 'summary', doc: 'Where it starts too.', optional: true}},
  outputs: {summary: {kind: 'summary', doc: 'The last digest.', columns: {digest: 'utf8'}}},
  computes: 'plain',
  async run({params: {seed, steps}, inputs, services}) {
    const saved = await services.checkpoints.load();
    let {step, digest} = saved?.position ?? {step: 0, digest: seed + String(inputs.after?.[0]?.digest ?? '')};
    for (; step < steps; step++) {
      services.signal.throwIfAborted();
      await services.checkpoints.offer(() => ({position: {step, digest}, arrays: {}}));
      for (let i = 0; i < 500; i++) digest = hash('sha256', digest);
    }
    return {summary: [{digest}]};
  },
});
`,
};

test.skipIf(process.platform !== 'linux')(
  `after ${KILLS} kills of driver and workers at any moment a pipeline ends with the bytes of an undisturbed run`,
  {timeout: Math.max(600_000, KILLS * 10_000)},
  async () => {
    // some lives are as long as a whole run, so that rounds end and every part of a run is hit
    const life = {shortest: 0.03, longest: 0.95};
    const killed = await killAtRandom({...written('work', WORK), backend: 'cpu', kills: KILLS, life, driverOneIn: 6});
    expectBothHit(killed);
    expect(killed.rounds).toBeGreaterThan(KILLS / 200);
  },
);

/** On the native back end: a captured step in both precisions, where an interrupted one is recorded anew. */
const TRAINING = `
params:
  data: {name: mnist, limit: {train: 320, test: 100}}
stages:
  load:
    uses: pretrain-load
    with:
      source: random
      seed: 1
      model:
        {model: vit, image_size: 28, num_channels: 1, patch_size: 7, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64, labels: 10}
  a: {uses: finetune, in: {weights: load.weights}, with: {data: "\${data}", seed: 1, length: 600it, lr: 0.01, batch: 16}}
  b: {uses: finetune, in: {weights: load.weights}, with: {data: "\${data}", seed: 2, length: 600it, lr: 0.01, batch: 16, precision: bf16}}
  path: {uses: interpolate, in: {a: a.weights, b: b.weights}, with: {data: "\${data}"}, sweep: {alpha: [0, 0.5, 1]}}
  barrier: {uses: barrier, in: {points: path.points}}
  prune:
    uses: platon-prune
    in: {weights: a.weights}
    with: {data: "\${data}", seed: 3, length: 600it, lr: 0.01, batch: 16}
    sweep: {keep: [0.5, 0.2]}
`;

test.skipIf(process.platform !== 'linux')(
  `after ${TRAINING_KILLS} kills training on ${BACKEND} goes on to the bytes of an undisturbed run`,
  {timeout: 600_000},
  async () => {
    const life = {shortest: 0.1, longest: 0.5};
    const place = written('training', {'pipeline.yaml': TRAINING});
    const killed = await killAtRandom({...place, backend: BACKEND, kills: TRAINING_KILLS, life, driverOneIn: 2});
    expectBothHit(killed);
    expect(killed.resumed).toBeGreaterThan(0);
  },
);
