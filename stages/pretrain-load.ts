import {z} from 'zod';
import type {NamedTensor, Weights} from '../src/artifact/kinds.ts';
import type {JsonObject} from '../src/base/json.ts';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {loadCheckpoint} from './lib/checkpoint/load-checkpoint.ts';
import {completePreprocessor} from './lib/checkpoint/preprocessor.ts';
import {fitTensors} from './lib/models/fit-tensors.ts';
import {initialise, initialiseHead, sizeOf} from './lib/models/initialise.ts';
import type {Model} from './lib/models/model.ts';
import {bindModel, modelSchema} from './lib/models/registry.ts';
import {preprocessorSchema} from './lib/pictures/preprocessor-settings.ts';
import {resolveCheckpoint} from './lib/source-checkpoint.ts';

const seed = (doc: string) => z.int().min(0).describe(doc).default(0);
const labels = z.int().min(1).max(65_536).describe('Number of classes of the fresh head.');
const headSeed = seed('Seed of the fresh head: equal seeds give equal heads, whatever the body.');
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
    .strictObject({source: z.literal('upstream'), labels, head_seed: headSeed})
    .describe('The body of the input `weights` under a fresh head.'),
  z.strictObject({source: checkpoint, labels, head_seed: headSeed}).describe('A checkpoint’s body under a fresh head.'),
  z.strictObject({source: checkpoint}).describe('A checkpoint with the head it has.'),
]);

interface Loaded {
  readonly model: Model;
  readonly preprocessor: JsonObject;
  readonly tensors: readonly NamedTensor[];
}

/** The body's own tensors beside a head made anew, sorted by name. */
function withFreshHead(
  model: Model,
  body: ReadonlyMap<string, NamedTensor>,
  source: string,
  headSeed: number,
): NamedTensor[] {
  const parts = new Map(body);
  for (const tensor of initialiseHead(model, headSeed)) parts.set(tensor.name, tensor);
  return fitTensors(model.parameters, parts, source);
}

function loadUpstream(upstream: Weights | undefined, count: number, headSeed: number): Loaded {
  if (upstream === undefined) {
    throw new StageError(
      'The source is upstream, but nothing is connected to the input `weights`.',
      'Add `in: {weights: some-node.weights}`, or name another source.',
    );
  }
  const model = bindModel({...upstream.model, labels: count});
  const body = new Map(upstream.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    model,
    preprocessor: upstream.preprocessor,
    tensors: withFreshHead(model, body, 'the input weights', headSeed),
  };
}

async function loadFrom(path: string, fresh: {labels: number; head_seed: number} | undefined): Promise<Loaded> {
  const {config, preprocessor, tensors} = await loadCheckpoint(path);
  const model = bindModel(fresh === undefined ? config : {...config, labels: fresh.labels});
  const whole = completePreprocessor(preprocessor, model);
  if (fresh !== undefined) {
    return {model, preprocessor: whole, tensors: withFreshHead(model, tensors, path, fresh.head_seed)};
  }
  if (!model.parameters.some(({name, head}) => head && tensors.has(name))) {
    throw new StageError(`The checkpoint ${path} has no classifier of its own.`, 'Give `labels` for a fresh one.');
  }
  return {model, preprocessor: whole, tensors: fitTensors(model.parameters, tensors, path)};
}

function load(choice: z.output<typeof params>, upstream: Weights | undefined): Promise<Loaded> | Loaded {
  if ('model' in choice) {
    const model = bindModel(choice.model);
    const preprocessor = completePreprocessor(choice.preprocessor ?? preprocessorSchema.parse({}), model);
    return {model, preprocessor, tensors: initialise(model, choice.seed)};
  }
  if ('labels' in choice) {
    return choice.source === 'upstream'
      ? loadUpstream(upstream, choice.labels, choice.head_seed)
      : loadFrom(choice.source, choice);
  }
  return loadFrom(choice.source, undefined);
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
  sources: {source: resolveCheckpoint},
  run: async ({params: choice, inputs}) => {
    if (inputs.weights !== undefined && choice.source !== 'upstream') {
      throw new StageError(
        `The input \`weights\` is connected, but the source is ${choice.source}.`,
        'Write `source: upstream` to use it, or remove the input.',
      );
    }
    const {model, preprocessor, tensors} = await load(choice, inputs.weights);
    return {
      weights: {model: model.config, preprocessor, tensors},
      summary: [
        {
          tensors: tensors.length,
          parameters: countOf(model, () => true),
          prunable: countOf(model, ({prunable}) => prunable),
          labels: model.labels,
        },
      ],
    };
  },
});
