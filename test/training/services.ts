import * as tf from '@tensorflow/tfjs';
import type {Weights} from '../../src/artifact/kinds.ts';
import {digestOfFile} from '../../src/base/digested-files.ts';
import type {Json, JsonObject} from '../../src/base/json.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import type {Checkpoints} from '../../src/stage/checkpoint.ts';
import type {Progress, StageServices} from '../../src/stage/define-stage.ts';
import {resolveDataSet} from '../../stages/lib/data/resolve-data-set.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import '../../stages/tensor/library.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';

/** What computes in tests of stages; `npm run check:all` has them once more on the native back end, where there is one. */
export const STAGES_ON =
  process.env.BASIN_STAGES_ON === 'tensorflow' && (await backends()).some(({name}) => name === 'tensorflow')
    ? 'tensorflow'
    : 'cpu';

await withBackend(STAGES_ON);

/** Services on that back end that note what is reported. */
export function recordingServices(
  signal: AbortSignal = new AbortController().signal,
  checkpoints: Checkpoints = NO_CHECKPOINTS,
) {
  const progress: Progress[] = [];
  const lines: string[] = [];
  const services: StageServices = {
    tf,
    signal,
    checkpoints,
    progress: (report) => void progress.push(report),
    log: (line) => void lines.push(line),
    folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
  };
  return {services, progress, lines};
}

/** MNIST that comes with basin, cut down by `choices`, as a stage is handed it. */
export async function locatedMnist(choices: JsonObject): Promise<Json> {
  const resolution = await resolveDataSet({name: 'mnist', ...choices}, {folder: '/', digestOfFile, mayDownload: false});
  if (resolution.state === 'unresolved') throw new Error(resolution.reason);
  return resolution.located;
}

export const preprocessor: JsonObject = {do_resize: true, rescale_factor: 1 / 255, image_mean: [0.5], image_std: [0.5]};

/** A small random network for 28 × 28 digits. */
export function randomMlp(seed: number, labels = 2, hidden: readonly number[] = [8]): Weights {
  const model = bindModel({model: 'mlp', hidden: [...hidden], labels});
  return {model: model.config, preprocessor, tensors: initialise(model, seed)};
}

/** A small vit for two classes of 28 × 28 digits: two blocks of 16 with two heads and 24 neurons. */
export const SMALL_VIT = {
  model: 'vit',
  labels: 2,
  image_size: 28,
  num_channels: 1,
  patch_size: 14,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
} as const;

/** One with random weights. */
export function randomVit(seed: number, labels = 2): Weights {
  const model = bindModel({...SMALL_VIT, initializer_range: 0.2, labels});
  return {model: model.config, preprocessor, tensors: initialise(model, seed)};
}
