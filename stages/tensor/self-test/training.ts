import type {Tensor} from '@tensorflow/tfjs';
import type {JsonObject} from '../../../src/base/json.ts';
import {initialise} from '../../lib/models/initialise.ts';
import {bindModel} from '../../lib/models/registry.ts';
import {masked} from '../../lib/pruning/masks.ts';
import {closeWindow, scoresOf} from '../../lib/pruning/scores.ts';
import {type OptimizerState, stepScalars} from '../../lib/training/adamw.ts';
import {layoutOf, pack, split} from '../../lib/training/parameter-layout.ts';
import {trainStep} from '../../lib/training/train-step.ts';
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
function trained(tf: Tf, config: JsonObject): readonly Tensor[] {
  const model = bindModel(config);
  const layout = layoutOf(model.parameters);
  const batch = 3;
  const size = layout.prunable;
  const sides = [model.channels, model.imageSize, model.imageSize] as const;
  const pictures = values(tf, [batch, ...sides]).as4D(batch, ...sides);
  const start: OptimizerState = {
    flat: tf.tensor1d(pack(layout, initialise(model, 7))),
    m: tf.zeros([layout.size]),
    v: tf.zeros([layout.size]),
  };
  const decays = tf.ones<typeof start.flat.rankType>([layout.size]);
  const labels = tf.tensor1d([2, 0, 1], 'int32');
  const {flat, m, v, loss, gradient} = trainStep(
    tf,
    {model, layout, clip: 1},
    {...start, pictures, labels, decays, ...stepScalars(tf, 1, LEARNING_RATE, 0.01)},
  );
  const zeros = tf.zeros<typeof flat.rankType>([size]);
  const window = windowMean(tf, {window: zeros, weights: flat, gradient, place: tf.scalar(1)});
  const scores = closeWindow(tf, {window, importance: zeros, uncertainty: zeros}, DECAY);
  const kept = tf.tensor1d(
    Uint8Array.from({length: layout.size}, (_, index) => Math.min(index % 3, 1)),
    'bool',
  );
  const logits = model.forward(tf, split(tf, layout, masked(tf, kept, flat)), pictures);
  return [loss, gradient, m, v, flat, scores.window, scoresOf(tf, scores), logits];
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
    name: 'a training step of a small mlp',
    compute: (tf) => trained(tf, {model: 'mlp', image_size: 4, hidden: [9, 5], labels: 3}),
  },
];
