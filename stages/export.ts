import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import type {Mask, NamedTensor} from '../src/artifact/kinds.ts';
import type {JsonObject} from '../src/base/json.ts';
import {defineStage} from '../src/stage/define-stage.ts';
import {exportedConfig, exportedPreprocessor} from './lib/checkpoint/exported-config.ts';
import {writeSafetensors} from './lib/checkpoint/write-safetensors.ts';
import {fitTensors} from './lib/models/fit-tensors.ts';
import type {Model} from './lib/models/model.ts';
import {loadModel} from './lib/models/registry.ts';
import {bitsOf, zeroed} from './lib/pruning/masks.ts';
import {layoutOf} from './lib/training/parameter-layout.ts';

async function writeJson(path: string, value: JsonObject): Promise<{path: string}> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
  return {path};
}

/** The model's tensors with 0 where the mask keeps nothing. */
function masked({parameters}: Model, tensors: readonly NamedTensor[], mask: Mask): NamedTensor[] {
  const layout = layoutOf(parameters);
  const bits = bitsOf(layout, mask);
  const places = new Map(layout.entries.map((entry) => [entry.name, entry.offset]));
  return tensors.map(({name, shape, values}) => {
    const offset = places.get(name) ?? 0;
    return {name, shape, values: zeroed(values, bits.subarray(offset, offset + values.length))};
  });
}

export default defineStage({
  name: 'export',
  version: 1,
  doc: 'The files of a HuggingFace folder, which transformers loads with from_pretrained; masked weights are written as zeros.',
  params: z.strictObject({}),
  inputs: {
    weights: {kind: 'weights', doc: 'The network, a vit.'},
    mask: {kind: 'mask', doc: 'What of it is kept.', optional: true},
  },
  outputs: {
    config: {kind: 'file', as: 'path', extension: 'json', doc: 'Its configuration.'},
    model: {kind: 'file', as: 'path', extension: 'safetensors', doc: 'Its tensors in float32.'},
    preprocessor_config: {kind: 'file', as: 'path', extension: 'json', doc: 'How a picture becomes its input.'},
  },
  computes: 'plain',
  run: async ({inputs: {weights, mask}, services}) => {
    const model = await loadModel(weights.model);
    const config = exportedConfig(model);
    const tensors = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]));
    const whole = fitTensors(model.parameters, tensors, 'the input weights');
    const folder = await services.folder();
    const path = join(folder, 'model.safetensors');
    await writeSafetensors(path, mask === undefined ? whole : masked(model, whole, mask));
    return {
      config: await writeJson(join(folder, 'config.json'), config),
      model: {path},
      preprocessor_config: await writeJson(
        join(folder, 'preprocessor_config.json'),
        exportedPreprocessor(weights.preprocessor),
      ),
    };
  },
});
