import {z} from 'zod';
import type {NamedTensor, Weights} from '../src/artifact/kinds.ts';
import {defineStage, StageError} from '../src/stage/define-stage.ts';
import {resolveDataSet} from './lib/data/resolve-data-set.ts';
import {EVALUATION_COLUMNS} from './lib/evaluate.ts';
import {loadModel} from './lib/models/registry.ts';
import {foreseePrunable} from './lib/pruning/foresee-prunable.ts';
import {magnitudeRule} from './lib/pruning/magnitude-rule.ts';
import {bitsOf, KEPT_COLUMNS, keptFractions} from './lib/pruning/masks.ts';
import {bitsBefore, nextMask} from './lib/pruning/next-mask.ts';
import {describePrunable, prunableSchema} from './lib/pruning/prunable.ts';
import {trainMasked} from './lib/pruning/train-masked.ts';
import {withOptimizer} from './lib/training/optimizer-settings.ts';
import {PART_NOOP, partParameters, TRAINING_NOOP, trainingParameters} from './lib/training/parameters.ts';
import {checkSpans} from './lib/training/span-faults.ts';
import {bindTask, weightsOf} from './lib/training/task.ts';
import {train} from './lib/training/train.ts';

/** The weights a level starts from, with the classifier of another network when there is one. */
async function withHead(weights: Weights, head: Weights | undefined): Promise<Weights> {
  if (head === undefined) return weights;
  const {parameters} = await loadModel(weights.model);
  const heads = new Set(parameters.flatMap((p) => (p.head ? [p.name] : [])));
  const given = new Map(head.tensors.map((tensor) => [tensor.name, tensor]));
  const tensors = weights.tensors.map((tensor): NamedTensor => {
    if (!heads.has(tensor.name)) return tensor;
    const other = given.get(tensor.name);
    if (other) return other;
    throw new StageError(`The network at \`head\` has no ${tensor.name}.`, 'Take both from the same architecture.');
  });
  return {...weights, tensors};
}

export default defineStage({
  name: 'imp',
  version: 1,
  doc: 'One level of iterative magnitude pruning: rewinds to the given weights, trains what is left of them, and removes the smallest.',
  params: z
    .strictObject({
      ...trainingParameters,
      ...partParameters,
      prune: magnitudeRule.describe('The rule by which the smallest weights are removed, as in magnitude-prune.'),
      prunable: prunableSchema,
    })
    .superRefine(checkSpans)
    .transform(withOptimizer),
  inputs: {
    weights: {kind: 'weights', doc: 'What every level is rewound to: W₀, or W_k after k steps.'},
    mask: {
      kind: 'mask',
      doc: 'What the level before has left: {from: NODE.mask, previous: level}; everything at the first.',
      optional: true,
    },
    head: {
      kind: 'weights',
      doc: 'A network whose classifier is taken instead, so that it is not rewound: {from: NODE.weights, previous: level}.',
      optional: true,
    },
  },
  outputs: {
    weights: {kind: 'weights', doc: 'The network trained under the mask of the level before.'},
    mask: {kind: 'mask', doc: 'What this level leaves.'},
    metrics: {kind: 'metrics', doc: 'Loss and learning rate of every step.'},
    evals: {kind: 'evals', doc: 'Evaluations on validation and test.'},
    summary: {
      kind: 'summary',
      doc: 'The last evaluation of each split; `kept` is the fraction of the prunable weights it was trained with, `kept_after` what this level leaves, `prunable` how many there are.',
      columns: {...EVALUATION_COLUMNS, ...KEPT_COLUMNS, kept_after: 'float64', prunable: 'int32'},
    },
  },
  computes: 'tensors',
  noop: {...TRAINING_NOOP, ...PART_NOOP},
  sources: {data: resolveDataSet},
  foresee: foreseePrunable,
  async run({params, inputs, services}) {
    const task = await bindTask(await withHead(inputs.weights, inputs.head), params, services);
    const {layout} = task;
    services.log(describePrunable(layout));
    const bits = bitsBefore(layout, inputs.mask);
    const {flat, metrics, evals, final} = inputs.mask
      ? await trainMasked(task, params, services, bits)
      : await train(task, params, services);
    const mask = nextMask(layout, flat, bits, params.prune);
    const after = {kept_after: keptFractions(layout, bitsOf(layout, mask)).kept, prunable: layout.prunable};
    const fractions = {...keptFractions(layout, bits), ...after};
    return {
      weights: weightsOf(task, flat),
      mask,
      metrics,
      evals,
      summary: final.map((row) => ({...row, ...fractions})),
    };
  },
});
