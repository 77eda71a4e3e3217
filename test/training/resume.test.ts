import {mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {afterAll, expect, test} from 'vitest';
import type {Weights} from '../../src/artifact/kinds.ts';
import {digestOf} from '../../src/base/digest.ts';
import type {Checkpoint, Checkpoints} from '../../src/stage/checkpoint.ts';
import type {OutputsByName, Stage} from '../../src/stage/define-stage.ts';
import {loadCheckpoint, saveCheckpoint} from '../../src/store/checkpoint-file.ts';
import finetune from '../../stages/finetune.ts';
import gradualPrune from '../../stages/gradual-prune.ts';
import imp from '../../stages/imp.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import randomMask from '../../stages/random-mask.ts';
import {encodeOutput} from '../rig/encode-output.ts';
import {locatedMnist, preprocessor, randomMlp, recordingServices, SMALL_VIT} from './services.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-resume-'));
afterAll(() => rmSync(folder, {recursive: true}));

const data = await locatedMnist({classes: [0, 1], limit: {train: 50, test: 20}});
const weights = randomMlp(1);
const common = {data, length: '23it', lr: 0.01, batch: 8, seed: 3, augment: [{shift: 2}], evaluate_every: 5};
const pruning = {...common, keep: 0.3, warmup: 4, final_warmup: 6, interval: 3};

/** A stage's outputs by their digests. */
const digests = (stage: Stage, outputs: OutputsByName): Record<string, string> =>
  Object.fromEntries(
    Object.entries(stage.outputs).map(([name, output]) => {
      const value = outputs[name];
      if (value === undefined) throw new Error(`${stage.name} gave no ${name}`);
      return [name, digestOf(encodeOutput(output, value))];
    }),
  );

/** Stops a run when it offers the checkpoint of a step, having saved it as a real file; then runs it again from there. */
async function interrupted(stage: Stage, params: object, inputs: Record<string, unknown>, at: number) {
  const place = mkdtempSync(join(folder, `${stage.name}-`));
  const controller = new AbortController();
  let offered = 0;
  const stopping: Checkpoints = {
    load: () => loadCheckpoint(place),
    offer: async (make: () => Checkpoint) => {
      offered += 1;
      if (offered !== at) return;
      await saveCheckpoint(place, folder, make());
      controller.abort();
    },
  };
  const first = stage.run({
    params: {...params},
    inputs,
    services: recordingServices(controller.signal, stopping).services,
  });
  await expect(first).rejects.toMatchObject({name: 'AbortError'});
  const again = recordingServices(undefined, {load: () => loadCheckpoint(place), offer: async () => {}});
  const outputs = await stage.run({params: {...params}, inputs, services: again.services});
  return {outputs, steps: again.progress.length};
}

const mask = (
  await randomMask.run({
    params: {seed: 1},
    inputs: {
      mask: (await platonPrune.run({params: pruning, inputs: {weights}, services: recordingServices().services})).mask,
    },
    services: recordingServices().services,
  })
).mask;

/** Dropout, a carried vector of another name, and steps of several batches. */
const dropping = bindModel({
  ...SMALL_VIT,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 8,
  hidden_dropout_prob: 0.2,
  attention_probs_dropout_prob: 0.1,
});
const vit: Weights = {model: dropping.config, preprocessor, tensors: initialise(dropping, 1)};
/** Running statistics, which no gradient reaches and a checkpoint must hold all the same. */
const normalising = bindModel({
  model: 'resnet',
  norm: 'batch',
  depth: 8,
  width: 2,
  labels: 2,
  image_size: 8,
  num_channels: 1,
});
const resnet: Weights = {model: normalising.config, preprocessor, tensors: initialise(normalising, 1)};
const otherwise = {...common, optimizer: 'adamax', accumulate: 2, length: '25it', from: '2it'};

for (const [stage, params, inputs, stops] of [
  [finetune, otherwise, {weights: vit}, [7]],
  [finetune, common, {weights: resnet}, [7]],
  [finetune, {...common, precision: 'bf16'}, {weights: vit}, [7]],
  [finetune, common, {weights}, [1, 5, 7, 18, 22]],
  [platonPrune, {...pruning, traces: true}, {weights}, [1, 5, 7, 18, 22]],
  [gradualPrune, {...pruning, score: 'movement'}, {weights}, [1, 5, 7, 18, 22]],
  [imp, {...common, prune: {rule: 'open_lth', fraction: 0.2}}, {weights, mask}, [1, 5, 7, 18, 22]],
  [maskRetrain, common, {weights, mask}, [1, 5, 7, 18, 22]],
] as const) {
  test(`${stage.name} of ${inputs.weights.model.model} that was stopped goes on from its checkpoint and ends with the same bytes`, async () => {
    const before = tf.memory().numTensors;
    const undisturbed = await stage.run({params: {...params}, inputs, services: recordingServices().services});
    for (const at of stops) {
      const {outputs, steps} = await interrupted(stage, params, inputs, at);
      expect(digests(stage, outputs), `stopped after step ${at}`).toEqual(digests(stage, undisturbed));
      expect(steps).toBe(23 - at);
    }
    expect(tf.memory().numTensors).toBe(before);
  });
}

test('a checkpoint that was cut or damaged is passed over, not used', async () => {
  const place = join(folder, 'damaged');
  await saveCheckpoint(place, folder, {position: {step: 3}, arrays: {a: Float32Array.of(1, -0, 1e-40)}});
  const [name = ''] = readdirSync(place);
  expect(await loadCheckpoint(place)).toEqual({position: {step: 3}, arrays: {a: Float32Array.of(1, -0, 1e-40)}});
  truncateSync(join(place, name), 20);
  expect(await loadCheckpoint(place)).toBeUndefined();
});

test('a new checkpoint replaces the one before', async () => {
  const place = join(folder, 'replaced');
  for (const step of [1, 2, 3]) await saveCheckpoint(place, folder, {position: {step}, arrays: {}});
  expect(readdirSync(place)).toHaveLength(1);
  expect((await loadCheckpoint(place))?.position).toEqual({step: 3});
});

test('a link in the place of checkpoints goes, and what it leads to stays as it is', async () => {
  const [place, elsewhere] = [join(folder, 'linked'), join(folder, 'elsewhere')];
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'thesis.tex'), 'All of it.');
  symlinkSync(elsewhere, place);
  for (const step of [1, 2]) await saveCheckpoint(place, folder, {position: {step}, arrays: {}});
  expect(readdirSync(elsewhere)).toEqual(['thesis.tex']);
  expect((await loadCheckpoint(place))?.position).toEqual({step: 2});
});
