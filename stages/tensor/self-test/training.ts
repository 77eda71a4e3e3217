import type {Tensor} from '@tensorflow/tfjs';
import type {JsonObject} from '../../../src/base/json.ts';
import {initialise} from '../../lib/models/initialise.ts';
import {bindModel} from '../../lib/models/registry.ts';
import {masked} from '../../lib/pruning/masks.ts';
import {closeWindow, scoresOf} from '../../lib/pruning/scores.ts';
import {type Optimizer, optimizerOf} from '../../lib/training/optimizer.ts';
import {ADAMW} from '../../lib/training/optimizer-settings.ts';
import {layoutOf, pack, split} from '../../lib/training/parameter-layout.ts';
import {stateOf, trainStep} from '../../lib/training/train-step.ts';
import {windowMean} from '../fused/window-mean.ts';
import type {Tf} from '../library.ts';
import {type Case, values} from './case.ts';

const SMALL_VIT: JsonObject = {
  model: 'vit',
  labels: 3,
  image_size: 8,
  patch_size: 4,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  initializer_range: 0.5, // large enough for activations to leave the straight part of their curves
};

/** Small, because the first step of AdamW moves by it whatever the gradient, and the sign of a tiny one is rounding. */
const LEARNING_RATE = 1e-5;

const DECAY = {beta1: 0.85, beta2: 0.95};

/** What a real optimizer step, PLATON's scores and a mask after it, and an evaluation make of a model: everything at once. */
function trained(tf: Tf, config: JsonObject, optimizer: Optimizer = optimizerOf(ADAMW, 0.01)): readonly Tensor[] {
  const model = bindModel(config);
  const layout = layoutOf(model.parameters);
  const batch = 3;
  const size = layout.prunable;
  const sides = [model.channels, model.imageSize, model.imageSize] as const;
  const pictures = values(tf, [batch, ...sides]).as4D(batch, ...sides);
  const loaded = tf.tensor1d(pack(layout, initialise(model, 7)));
  const carried = optimizer.carries.map((name) => [name, tf.zerosLike(loaded)]);
  const made = trainStep(
    tf,
    {model, layout, clip: 1, optimizer, labelSmoothing: 0.1},
    {
      ...Object.fromEntries(carried),
      flat: loaded,
      pictures,
      labels: tf.tensor1d([2, 0, 1], 'int32'),
      decays: tf.ones([layout.size]),
      ...(model.dropout > 0 && {dropout: tf.tensor1d([3, -4], 'int32')}),
      ...optimizer.scalars(tf, 1, LEARNING_RATE),
    },
  );
  const {flat, ...next} = stateOf(optimizer, made);
  const {loss, gradient} = made;
  const zeros = tf.zeros<typeof flat.rankType>([size]);
  const window = windowMean(tf, {window: zeros, weights: flat, gradient, place: tf.scalar(1)});
  const scores = closeWindow(tf, {window, importance: zeros, uncertainty: zeros}, DECAY);
  const kept = tf.tensor1d(
    Uint8Array.from({length: layout.size}, (_, index) => Math.min(index % 3, 1)),
    'bool',
  );
  const logits = model.forward(tf, split(tf, layout, masked(tf, kept, flat)), pictures);
  return [loss, gradient, ...Object.values(next), flat, scores.window, scoresOf(tf, scores), logits];
}

/** The stages' own mathematics in one piece, so that nothing they do is untested however operations come together. */
export const trainingCases: readonly Case[] = [
  {name: 'a training step of a small vit', compute: (tf) => trained(tf, SMALL_VIT)},
  {
    name: 'a training step of a small vit, tanh GELU',
    compute: (tf) => trained(tf, {...SMALL_VIT, hidden_act: 'gelu_new'}),
  },
  {
    name: 'a training step of a small vit with heads that our attention takes',
    compute: (tf) => trained(tf, {...SMALL_VIT, hidden_size: 32, intermediate_size: 40}),
  },
  {
    name: 'a training step of a small vit with dropout, by Adamax',
    compute: (tf) =>
      trained(
        tf,
        {...SMALL_VIT, hidden_dropout_prob: 0.2, attention_probs_dropout_prob: 0.3},
        optimizerOf({name: 'adamax', betas: [0.9, 0.999], eps: 1e-6}, 0.01),
      ),
  },
  {
    name: 'a training step of a small vit, by SGD with Nesterov momentum',
    compute: (tf) =>
      trained(tf, SMALL_VIT, optimizerOf({name: 'sgd', momentum: 0.9, nesterov: true, dampening: 0}, 0.01)),
  },
  {
    name: 'a training step of a small mlp',
    compute: (tf) => trained(tf, {model: 'mlp', image_size: 4, hidden: [9, 5], labels: 3}),
  },
];
