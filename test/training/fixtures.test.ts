import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {type OptimizerState, stepScalars} from '../../stages/lib/training/adamw.ts';
import {layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import {scheduleFactor} from '../../stages/lib/training/schedule.ts';
import {stateIn, trainStep} from '../../stages/lib/training/train-step.ts';
import {captured} from '../../stages/tensor/capture/captured.ts';
import {scalarOf} from '../../stages/tensor/capture/named.ts';
import {trustedTensors} from '../rig/safetensors.ts';
import {backends} from '../rig/tensor-backends.ts';

const training = z.object({loss_and_grad_norm_per_step: z.array(z.tuple([z.number(), z.number()]))});
const shape = z.object({
  hidden_size: z.number(),
  num_hidden_layers: z.number(),
  num_attention_heads: z.number(),
  intermediate_size: z.number(),
  image_size: z.number(),
  patch_size: z.number(),
  num_channels: z.number(),
  layer_norm_eps: z.number(),
  qkv_bias: z.boolean(),
});

/** Parameters of the larger model that plain JavaScript still gets through in a few seconds. */
const LONGEST_ON_CPU = 40;

const folder = new URL('../fixtures/hf-vit/', import.meta.url);
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'));

test.each(['p4-32', 'p16-64'])(
  'ten AdamW steps of PyTorch on %s are repeated on every backend',
  {timeout: 120_000},
  async (name) => {
    const expected = training.parse(json(`${name}/training.json`)).loss_and_grad_norm_per_step;
    const stored = trustedTensors(new URL(`${name}/model.safetensors`, folder));
    const reference = trustedTensors(new URL(`${name}/reference.safetensors`, folder));
    const labels = Object.keys(
      z.object({id2label: z.record(z.string(), z.string())}).parse(json(`${name}/config.json`)).id2label,
    ).length;
    const config: JsonObject = {model: 'vit', ...shape.parse(json(`${name}/config.json`)), labels};
    const model = bindModel(config);
    const layout = layoutOf(model.parameters);
    const start = pack(
      layout,
      Object.entries(stored).map(([tensor, {shape: sizes, values}]) => ({
        name: tensor,
        shape: sizes,
        values: Float32Array.from(values),
      })),
    );
    const {pixel_values: pixels, labels: classes, logits_after_10_steps: after} = reference;
    if (!pixels || !classes || !after) throw new Error('the fixture lacks a tensor');
    for (const {name: backend, tf} of await backends()) {
      if (backend === 'cpu' && layout.entries.length > LONGEST_ON_CPU) continue; // seventeen seconds for no other arithmetic
      await tf.setBackend(backend);
      tf.tidy(() => {
        const [n = 0, c = 0, h = 0, w = 0] = pixels.shape;
        const batch = {
          pictures: tf.tensor4d(Float32Array.from(pixels.values), [n, c, h, w]),
          labels: tf.tensor1d(Int32Array.from(classes.values), 'int32'),
        };
        let state: OptimizerState = {flat: tf.tensor1d(start), m: tf.zeros([layout.size]), v: tf.zeros([layout.size])};
        const program = {model, layout, clip: 1};
        const stepOf = captured(tf, 'a fixture', (inputs) => trainStep(tf, program, inputs));
        expected.forEach(([loss], step) => {
          const lr = 2e-4 * scheduleFactor({name: 'linear', warmup: 0}, step, expected.length);
          const result = stepOf({...state, ...batch, ...stepScalars(tf, step + 1, lr, 0.01)});
          const [found = Number.NaN] = scalarOf(result, 'loss').dataSync();
          expect(Math.abs(found / loss - 1), `${backend}, step ${step + 1}`).toBeLessThan(1e-5);
          state = stateIn(result);
        });
        const logits = model.forward(tf, split(tf, layout, state.flat), batch.pictures).dataSync();
        const top = Math.max(...Array.from(after.values, Math.abs));
        logits.forEach((value, index) => {
          expect(Math.abs(value - (after.values[index] ?? Number.NaN)) / top, backend).toBeLessThan(1e-4);
        });
      });
    }
  },
);
