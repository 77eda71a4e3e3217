import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {type OptimizerState, stepScalars} from '../../stages/lib/training/adamw.ts';
import {layoutOf, pack, split, unpack} from '../../stages/lib/training/parameter-layout.ts';
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

const steps = z
  .record(
    z.string(),
    z.object({
      losses: z.array(z.number()),
      tensors: z.record(z.string(), z.object({largest: z.number(), stride: z.number(), values: z.array(z.number())})),
    }),
  )
  .parse(JSON.parse(readFileSync(new URL('../fixtures/optimizers/vit-steps.json', import.meta.url), 'utf8')));

/** Parameters of the larger model that plain JavaScript still gets through in a few seconds. */
const LONGEST_ON_CPU = 40;

const folder = new URL('../fixtures/hf-vit/', import.meta.url);
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'));

/** The pictures and labels that a checkpoint comes with, or those that vit-steps.py makes for one without. */
function batchIn(name: string, {num_channels: channels, image_size: side}: z.output<typeof shape>) {
  if (name === 'base-with-pooler') {
    const sizes = [4, channels, side, side];
    const pixels = Float32Array.from({length: 4 * channels * side ** 2}, (_, index) => Math.sin(index));
    return {sizes, pixels, classes: [0, 0, 1, 2], after: undefined};
  }
  const {
    pixel_values: pixels,
    labels,
    logits_after_10_steps: after,
  } = trustedTensors(new URL(`${name}/reference.safetensors`, folder));
  if (!pixels || !labels || !after) throw new Error('the fixture lacks a tensor');
  return {sizes: pixels.shape, pixels: Float32Array.from(pixels.values), classes: [...labels.values], after};
}

test.each(Object.keys(steps))(
  'ten AdamW steps of PyTorch on %s are repeated on every backend',
  {timeout: 120_000},
  async (name) => {
    const expected = steps[name];
    const config = shape.parse(json(`${name}/config.json`));
    const {sizes, pixels, classes, after} = batchIn(name, config);
    const stored = trustedTensors(new URL(`${name}/model.safetensors`, folder));
    const labels = stored['classifier.bias']?.shape[0] ?? 3;
    const described: JsonObject = {model: 'vit', ...config, labels};
    const model = bindModel(described);
    const layout = layoutOf(model.parameters);
    // a ViTModel has neither the prefix nor a head
    const tensors = model.parameters.map(({name: tensor, shape: extents}) => {
      const size = extents.reduce((product, extent) => product * extent, 1);
      const head = Float32Array.from({length: size}, (_, index) => (extents.length === 1 ? 0 : 0.02 * Math.cos(index)));
      const values = (stored[tensor] ?? stored[tensor.replace('vit.', '')])?.values ?? head;
      return {name: tensor, shape: extents, values: Float32Array.from(values)};
    });
    const start = pack(layout, tensors);
    const losses = after
      ? training.parse(json(`${name}/training.json`)).loss_and_grad_norm_per_step.map(([loss]) => loss)
      : expected?.losses;
    for (const {name: backend, tf} of await backends()) {
      if (backend === 'cpu' && layout.entries.length > LONGEST_ON_CPU) continue; // seventeen seconds for no other arithmetic
      await tf.setBackend(backend);
      tf.tidy(() => {
        const [n = 0, c = 0, h = 0, w = 0] = sizes;
        const batch = {
          pictures: tf.tensor4d(pixels, [n, c, h, w]),
          labels: tf.tensor1d(Int32Array.from(classes), 'int32'),
        };
        let state: OptimizerState = {flat: tf.tensor1d(start), m: tf.zeros([layout.size]), v: tf.zeros([layout.size])};
        const program = {model, layout, clip: 1};
        const stepOf = captured(tf, 'a fixture', (inputs) => trainStep(tf, program, inputs));
        losses?.forEach((loss, step) => {
          const lr = 2e-4 * scheduleFactor({name: 'linear', warmup: 0}, step, losses.length);
          const result = stepOf({...state, ...batch, ...stepScalars(tf, step + 1, lr, 0.01)});
          const [found = Number.NaN] = scalarOf(result, 'loss').dataSync();
          expect(Math.abs(found / loss - 1), `${backend}, step ${step + 1}`).toBeLessThan(1e-5);
          state = stateIn(result);
        });
        const weights = unpack(layout, state.flat.dataSync<'float32'>());
        expect(weights.map(({name: tensor}) => tensor)).toEqual(Object.keys(expected?.tensors ?? {}).sort());
        for (const {name: tensor, values} of weights) {
          // a key's bias moves no output: its gradient is 0 but for rounding, which AdamW makes as large as any other
          if (tensor.endsWith('key.bias')) continue;
          const {largest, stride, values: samples} = expected?.tensors[tensor] ?? {largest: 0, stride: 1, values: []};
          samples.forEach((value, index) => {
            const error = Math.abs((values[index * stride] ?? Number.NaN) - value) / largest;
            expect(error, `${backend}, ${tensor}`).toBeLessThan(1e-4);
          });
        }
        if (!after) return;
        const logits = model.forward(tf, split(tf, layout, state.flat), batch.pictures).dataSync();
        const top = Math.max(...Array.from(after.values, Math.abs));
        logits.forEach((value, index) => {
          expect(Math.abs(value - (after.values[index] ?? Number.NaN)) / top, backend).toBeLessThan(1e-4);
        });
      });
    }
  },
);
