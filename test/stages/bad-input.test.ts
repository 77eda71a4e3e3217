import {expect, test} from 'vitest';
import type {Mask, Weights} from '../../src/artifact/kinds.ts';
import {registry} from '../../src/cli/registry.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {copyOf, pretrained, rename} from '../rig/checkpoints.ts';
import {locatedMnist, randomMlp} from '../training/services.ts';
import {runStage} from './run-stage.ts';

// What a person is told, whole: what is wrong, with its numbers, and what to do.

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const weights = randomMlp(1, 2, [8, 6]);
const training = {data, length: '40it', lr: 1e-2, batch: 16};
const pruning = {...training, keep: 0.5};
const PRUNABLE = 784 * 8 + 8 * 6;

const maskOf = (name: string, shape: readonly number[], values: readonly number[]): Mask => ({
  tensors: [{name, shape, bits: Uint8Array.from(values)}],
});
/** The network with one number everywhere in its classifier, against the second class. */
const classifiedBy = (value: number): Weights => ({
  ...weights,
  tensors: weights.tensors.map((tensor) =>
    tensor.name === 'classifier.weight'
      ? {...tensor, values: tensor.values.map((_, index) => (index < 6 ? value : -value))}
      : tensor,
  ),
});

/** What a person is told. */
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (error instanceof StageError ? {message: error.message, hint: error.hint} : error));

const cases: readonly (readonly [
  what: string,
  stage: string,
  params: object,
  inputs: object,
  told: {readonly message: string; readonly hint: string},
])[] = [
  [
    'a loss that is no number',
    'finetune',
    {...training, optimizer: 'sgd', lr: 10, weight_decay: 1, clip: null},
    {weights},
    {
      message: 'The loss became not a number at step 6.',
      hint: 'Lower lr, add warm-up steps to `schedule`, or set `clip: 1`.',
    },
  ],
  [
    'outputs that are infinite',
    'evaluate',
    {data},
    {weights: classifiedBy(3e38)},
    {
      message: 'The network gives outputs that are not finite.',
      hint: 'Its weights are broken: train it with a lower learning rate.',
    },
  ],
  [
    'a class count that does not fit',
    'finetune',
    training,
    {weights: randomMlp(1, 10)},
    {
      message: 'The network has 10 outputs, and the data set mnist has 2 classes here.',
      hint: 'Give the network a fresh head: pretrain-load with {source: upstream, labels: 2, head_seed: 0}.',
    },
  ],
  [
    'a keep that is less than a weight',
    'platon-prune',
    {...pruning, keep: 1e-5},
    {weights},
    {
      message: `keep: 0.00001 of ${PRUNABLE} prunable weights is not one weight.`,
      hint: 'Keep at least 0.00016.',
    },
  ],
  [
    'a keep that no round of pruning comes to with scores',
    'platon-prune',
    {...pruning, length: '2ep', interval: 10},
    {weights},
    {
      message: 'The last pruning, after step 7, comes before there are scores, after step 10 (interval: 10).',
      hint: 'Give a smaller `interval`, a longer `warmup` or a longer `length`.',
    },
  ],
  [
    'a keep above that of the level before',
    'magnitude-prune',
    {rule: 'exact', keep: 1},
    {
      weights,
      mask: maskOf(
        'fc2.weight',
        [6, 8],
        Array.from({length: 48}, () => 0),
      ),
    },
    {
      message: 'keep: 1 of 6320 weights is 6320, and the mask has only 6272 left.',
      hint: 'A level cannot keep more than the one before: give a smaller `keep`.',
    },
  ],
  [
    'no step between the warm-ups',
    'platon-prune',
    {...pruning, length: '10ep', warmup: '30it', final_warmup: '10it'},
    {weights},
    {
      message: 'A warm-up of 30 and a final phase of 10 steps leave no step of 40 to prune in.',
      hint: 'Shorten `warmup` or `final_warmup`, or lengthen `length`.',
    },
  ],
  [
    'a network without anything that can be pruned',
    'platon-prune',
    pruning,
    {weights: randomMlp(1, 2, [])},
    {message: 'The network has no weights that can be pruned.', hint: 'Prune a vit, or an mlp with hidden layers.'},
  ],
  [
    'patterns that leave nothing to prune',
    'gradual-prune',
    {...pruning, score: 'magnitude', prunable: {include: ['fc2'], exclude: ['fc']}},
    {weights},
    {
      message: 'Of the tensors that `prunable` includes, it excludes every one.',
      hint: 'Name fewer under `exclude`. The tensors are: classifier.bias, classifier.weight, fc1.bias, fc1.weight, fc2.bias, fc2.weight.',
    },
  ],
  [
    'a pattern that matches nothing',
    'platon-prune',
    {...pruning, prunable: {include: ['fc1.wieght']}},
    {weights},
    {message: 'No tensor of the network matches "fc1.wieght".', hint: 'Did you mean "fc1.weight"?'},
  ],
  [
    'a mask of another shape',
    'mask-retrain',
    training,
    {weights, mask: maskOf('fc2.weight', [2, 2], [1, 0, 0, 1])},
    {
      message: 'The mask does not fit the weights: fc2.weight [2, 2] is [6, 8] in the weights.',
      hint: 'Take mask and weights from the same architecture.',
    },
  ],
  [
    'a mask of another network',
    'interpolate',
    {data, alpha: 0.5, train: 0},
    {a: weights, b: weights, mask: maskOf('fc9.weight', [1], [1])},
    {
      message: 'The mask does not fit the weights: fc9.weight [1] is not among the weights.',
      hint: 'Take mask and weights from the same architecture.',
    },
  ],
  [
    'a mask of what is not pruned here',
    'magnitude-prune',
    {rule: 'exact', keep: 0.2},
    {weights, mask: maskOf('fc2.bias', [6], [1, 1, 1, 1, 1, 0])},
    {
      message: 'The mask names fc2.bias, which cannot be pruned here.',
      hint: 'Give the same `prunable` as the stage that made the mask.',
    },
  ],
];

test.for(cases)('%s is refused by %s, whole', async ([, name, params, inputs, told]) => {
  const stage = registry.get(name);
  if (!stage) throw new Error(`There is no stage ${name}`);
  expect(await refusal(runStage(stage, params, inputs))).toEqual(told);
});

test('a checkpoint with missing, unknown and misshapen tensors: all of them in one message', async () => {
  const path = copyOf('p4-32', (config) => {
    config.intermediate_size = 96;
    config.num_hidden_layers = 1;
  });
  rename(path, (name) => {
    if (/layer\.[12]\./.test(name)) return undefined;
    if (name === 'vit.layernorm.bias') return 'vit.layernorm.beta';
    return name === 'vit.embeddings.cls_token' ? undefined : name;
  });
  expect(await refusal(pretrained({source: path}))).toEqual({
    message: [
      `The tensors of ${path} do not fit its configuration`,
      'missing: vit.embeddings.cls_token, vit.layernorm.bias',
      'not known: vit.layernorm.beta (is it vit.layernorm.bias?)',
      'of another shape: vit.encoder.layer.0.intermediate.dense.bias is [192] and should be [96], vit.encoder.layer.0.intermediate.dense.weight is [192,48] and should be [96,48], vit.encoder.layer.0.output.dense.weight is [48,192] and should be [48,96].',
    ].join('; '),
    hint: 'Weights and configuration must come from the same model; a classifier is made anew when `labels` is given.',
  });
});
