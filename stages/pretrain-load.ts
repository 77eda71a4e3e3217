import {z} from 'zod';
import type {NamedTensor, Weights} from '../src/artifact/kinds.ts';
import type {JsonObject} from '../src/base/json.ts';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {PREPROCESSOR} from './lib/checkpoint/checkpoint-files.ts';
import {type Checkpoint, checkpointConfig, loadCheckpoint} from './lib/checkpoint/load-checkpoint.ts';
import {changedPreprocessor, completePreprocessor, preprocessorForSize} from './lib/checkpoint/preprocessor.ts';
import {resizePositions} from './lib/checkpoint/resize-positions.ts';
import {fitTensors} from './lib/models/fit-tensors.ts';
import {initialise, initialiseHead, sizeOf} from './lib/models/initialise.ts';
import {knownModel} from './lib/models/known-model.ts';
import type {Model} from './lib/models/model.ts';
import {loadModel, modelSchema} from './lib/models/registry.ts';
import {resolveModel} from './lib/models/user-model.ts';
import {
  type PreprocessorChanges,
  type PreprocessorSettings,
  preprocessorChangesSchema,
  preprocessorSchema,
} from './lib/pictures/preprocessor-settings.ts';
import {resolveCheckpoint} from './lib/source-checkpoint.ts';

const seed = (doc: string) => z.int().min(0).describe(doc).default(0);
const labels = z.int().min(1).max(65_536).describe('Number of classes of the fresh head.');
const headSeed = seed('Seed of the fresh head: equal seeds give equal heads, whatever the body.');
const imageSize = z
  .int()
  .min(1)
  .max(65_536)
  .describe(
    'Pixels of the pictures that the network is to take, when not those it was made for: its position embeddings are resampled.',
  )
  .optional();
const preprocessor = preprocessorChangesSchema.optional();
const checkpoint = z
  .string()
  .min(1)
  // aborts, so that of the union's members the one that was meant is the one complained about
  .regex(/^(?!(random|upstream)$)/, {error: 'This is not a checkpoint.', abort: true})
  .describe('A HuggingFace folder, a .safetensors file with config.json beside it, or hf:owner/name[@revision].');

const params = z.union([
  z
    .strictObject({
      source: z.literal('random'),
      model: modelSchema.describe('The network and its sizes.'),
      seed: seed('Seed of the random weights.'),
      preprocessor: preprocessorSchema.optional(),
    })
    .describe('A network with random weights.'),
  z
    .strictObject({source: z.literal('upstream'), labels, head_seed: headSeed, image_size: imageSize, preprocessor})
    .describe('The body of the input `weights` under a fresh head.'),
  z
    .strictObject({source: checkpoint, labels, head_seed: headSeed, image_size: imageSize, preprocessor})
    .describe('A checkpoint’s body under a fresh head.'),
  z
    .strictObject({source: checkpoint, image_size: imageSize, preprocessor})
    .describe('A checkpoint with the head it has.'),
]);

interface Loaded {
  readonly model: Model;
  readonly preprocessor: JsonObject;
  readonly tensors: readonly NamedTensor[];
}

/** What is made of a network as it was found. */
interface Changes {
  readonly labels?: number;
  readonly head_seed?: number;
  readonly image_size?: number | undefined;
  readonly preprocessor?: PreprocessorChanges | undefined;
}

/** A found network with a head made anew where `labels` are given, for pictures of another size where one is. */
async function changed(
  found: Pick<Checkpoint, 'config' | 'tensors'>,
  {labels, head_seed, image_size}: Changes,
  source: string,
): Promise<Pick<Loaded, 'model' | 'tensors'>> {
  const {config, tensors} = image_size === undefined ? found : resizePositions(found, image_size);
  const {class_names: _, ...nameless} = config;
  const model = await loadModel(labels === undefined ? config : {...nameless, labels});
  const parts = new Map(tensors);
  if (head_seed !== undefined) for (const tensor of initialiseHead(model, head_seed)) parts.set(tensor.name, tensor);
  if (!model.parameters.some(({name, head}) => head && parts.has(name))) {
    throw new StageError(`The checkpoint ${source} has no classifier of its own.`, 'Give `labels` for a fresh one.');
  }
  return {model, tensors: fitTensors(model.parameters, parts, source)};
}

/** The preprocessor of a found network for pictures of the other size, if any, with what is laid over it: said twice, the latter counts. */
function changedPictures(
  settings: PreprocessorSettings,
  {image_size: side, preprocessor: changes = {}}: Changes,
): PreprocessorSettings {
  return changedPreprocessor(side === undefined ? settings : preprocessorForSize(settings, side), changes);
}

async function loadUpstream(upstream: Weights | undefined, changes: Changes): Promise<Loaded> {
  if (upstream === undefined) {
    throw new StageError(
      'The source is upstream, but nothing is connected to the input `weights`.',
      'Add `in: {weights: some-node.weights}`, or name another source.',
    );
  }
  const {model: config, preprocessor, tensors} = upstream;
  const found = {config, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor]))};
  const {model, tensors: fitting} = await changed(found, changes, 'the input weights');
  if (changes.image_size === undefined && changes.preprocessor === undefined) {
    return {model, tensors: fitting, preprocessor};
  }
  const settings = preprocessorSchema.parse(preprocessor);
  return {model, tensors: fitting, preprocessor: completePreprocessor(changedPictures(settings, changes), model)};
}

async function loadFrom(path: string, changes: Changes, log: (line: string) => void): Promise<Loaded> {
  const {preprocessor, hasPreprocessor, ...found} = await loadCheckpoint(path);
  const {model, tensors} = await changed(found, changes, path);
  const complete = completePreprocessor(changedPictures(preprocessor, changes), model);
  if (!hasPreprocessor) {
    log(`${path} has no ${PREPROCESSOR}: with the defaults, pictures are prepared by ${JSON.stringify(complete)}`);
  }
  return {model, tensors, preprocessor: complete};
}

async function load(
  choice: z.output<typeof params>,
  upstream: Weights | undefined,
  log: (line: string) => void,
): Promise<Loaded> {
  if ('model' in choice) {
    const model = await loadModel(choice.model);
    const preprocessor = completePreprocessor(choice.preprocessor ?? preprocessorSchema.parse({}), model);
    return {model, preprocessor, tensors: initialise(model, choice.seed)};
  }
  return choice.source === 'upstream' ? loadUpstream(upstream, choice) : loadFrom(choice.source, choice, log);
}

/** The model of what is loaded, from parameters and config.json alone. */
async function modelAhead(
  choice: z.output<typeof params>,
  upstream: JsonObject | undefined,
): Promise<Model | undefined> {
  if ('model' in choice) return loadModel(choice.model);
  const found = choice.source === 'upstream' ? upstream : await checkpointConfig(choice.source);
  if (found === undefined) return undefined;
  const {image_size: size} = choice;
  const sized = size === undefined ? found : resizePositions({config: found, tensors: new Map()}, size).config;
  return loadModel('labels' in choice ? {...sized, labels: choice.labels} : sized);
}

const countOf = (model: Model, only: (parameter: Model['parameters'][number]) => boolean): number =>
  model.parameters.filter(only).reduce((sum, {shape}) => sum + sizeOf(shape), 0);

export default defineStage({
  name: 'pretrain-load',
  version: 1,
  doc: 'Weights to start from: random, from a HuggingFace checkpoint, or an upstream body under a fresh head.',
  params,
  inputs: {weights: {kind: 'weights', doc: 'The body, when the source is upstream.', optional: true}},
  outputs: {
    weights: {kind: 'weights', doc: 'The network, its configuration and its preprocessor.'},
    summary: {
      kind: 'summary',
      doc: 'Sizes of the network.',
      columns: {tensors: 'int32', parameters: 'int32', prunable: 'int32', labels: 'int32'},
    },
  },
  computes: 'plain',
  noop: {preprocessor: {}},
  sources: {source: resolveCheckpoint, model: resolveModel},
  foresee: async ({params: choice, inputs}) => ({
    outputs: {weights: (await modelAhead(choice, knownModel(inputs.weights)))?.config},
  }),
  run: async ({params: choice, inputs, services}) => {
    if (inputs.weights !== undefined && choice.source !== 'upstream') {
      throw new StageError(
        `The input \`weights\` is connected, but the source is ${choice.source}.`,
        'Write `source: upstream` to use it, or remove the input.',
      );
    }
    const {model, preprocessor, tensors} = await load(choice, inputs.weights, (line) => services.log(line));
    return {
      weights: {model: model.config, preprocessor, tensors},
      summary: [
        {
          tensors: tensors.length,
          parameters: countOf(model, ({buffer}) => !buffer),
          prunable: countOf(model, ({prunable}) => prunable),
          labels: model.labels,
        },
      ],
    };
  },
});
