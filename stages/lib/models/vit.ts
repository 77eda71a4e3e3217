import type {Tensor, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import {activate} from './activation.ts';
import {layerNorm, linear, linearOfData, linearParameters, parameterOf} from './layers.ts';
import type {Model, ParameterTensors} from './model.ts';
import {patchesOf} from './patches.ts';
import {tokensOf, type VitConfig} from './vit-config.ts';
import {
  type BlockNames,
  blockNames,
  CLASS_TOKEN,
  CLASSIFIER,
  FINAL_NORM,
  PATCHES,
  POSITIONS,
  vitParameters,
} from './vit-parameters.ts';

/** A batch on its way through the blocks; token rows are [B · T, D]. */
interface Pass {
  readonly tf: Tf;
  readonly parameters: ParameterTensors;
  readonly config: VitConfig;
  readonly batch: number;
}

/** Pictures → token rows [B · T, D]: class token first, then the patches row by row, positions added. */
function embed({tf, parameters, config, batch}: Pass, pictures: Tensor4D): Tensor {
  const {hidden_size: width, patch_size: patch} = config;
  const tokens = tokensOf(config);
  const kernel = tf.reshape(parameterOf(parameters, `${PATCHES}.weight`), [width, -1]);
  const bias = parameterOf(parameters, `${PATCHES}.bias`);
  const projected = linearOfData(tf, {weight: kernel, bias}, patchesOf(tf, pictures, patch));
  // adding zeros spreads the class token over the batch; the gradient of tf.tile would be a loop over the batch
  const classes = tf.add(parameterOf(parameters, CLASS_TOKEN), tf.zeros([batch, 1, 1]));
  const sequence = tf.concat([classes, tf.reshape(projected, [batch, tokens - 1, width])], 1);
  return tf.reshape(tf.add(sequence, parameterOf(parameters, POSITIONS)), [batch * tokens, width]);
}

/** The class token's row of each picture: [B · T, D] → [B, D]. */
function classRows({tf, config, batch}: Pass, rows: Tensor): Tensor {
  const sequence = tf.reshape(rows, [batch, -1, config.hidden_size]);
  return tf.reshape(tf.slice(sequence, [0, 0, 0], [batch, 1, config.hidden_size]), [batch, config.hidden_size]);
}

/** Rows [B · T, D] → [B, H, T, D / H]. */
function splitHeads({tf, config, batch}: Pass, rows: Tensor): Tensor {
  const {hidden_size: width, num_attention_heads: heads} = config;
  return tf.transpose(tf.reshape(rows, [batch, -1, heads, width / heads]), [0, 2, 1, 3]);
}

/**
 * Self-attention of `queries` over `rows` without its output projection, softmax(q kᵀ / √d) v: rows [B · T, D] →
 * rows like `queries`. One product for query, key and value together was measured and is no faster.
 */
function attend(pass: Pass, names: BlockNames, rows: Tensor, queries: Tensor): Tensor {
  const {tf, parameters, config} = pass;
  const projected = (name: string, from: Tensor) =>
    splitHeads(pass, linear(tf, linearParameters(parameters, name), from));
  const scale = (config.hidden_size / config.num_attention_heads) ** -0.5;
  const query = tf.mul(projected(names.query, queries), scale);
  const weights = tf.softmax(tf.matMul(query, projected(names.key, rows), false, true));
  const mixed = tf.matMul(weights, projected(names.value, rows));
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, config.hidden_size]);
}

/**
 * One block. Of the last one only the class token's row is read by the classifier, so there (`last`) only that row's
 * query, projection and MLP are computed: the same logits and gradients for much less work.
 */
function block(pass: Pass, layer: number, rows: Tensor, last: boolean): Tensor {
  const {tf, parameters, config} = pass;
  const names = blockNames(layer);
  const eps = config.layer_norm_eps;
  const normal = layerNorm(tf, parameters, names.normBefore, rows, eps);
  const [queries, residual] = last ? [classRows(pass, normal), classRows(pass, rows)] : [normal, rows];
  const mixed = attend(pass, names, normal, queries);
  const attended = linear(tf, linearParameters(parameters, names.attentionOutput), mixed, residual);
  const normalAfter = layerNorm(tf, parameters, names.normAfter, attended, eps);
  const inner = activate(
    tf,
    config.hidden_act,
    linear(tf, linearParameters(parameters, names.intermediate), normalAfter),
  );
  return linear(tf, linearParameters(parameters, names.output), inner, attended);
}

function forward(pass: Pass, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config} = pass;
  const layers = config.num_hidden_layers;
  let rows = embed(pass, pictures);
  for (let layer = 0; layer < layers; layer++) rows = block(pass, layer, rows, layer === layers - 1);
  const classes = layerNorm(tf, parameters, FINAL_NORM, rows, config.layer_norm_eps);
  return linear(tf, linearParameters(parameters, CLASSIFIER), classes).as2D(pass.batch, config.labels);
}

/** HuggingFace's `ViTForImageClassification` without dropout: pictures → logits (science.md §4.1). */
export function vit(config: VitConfig): Model {
  return {
    config: {...config},
    parameters: vitParameters(config),
    channels: config.num_channels,
    imageSize: config.image_size,
    labels: config.labels,
    dropout: Math.max(config.hidden_dropout_prob, config.attention_probs_dropout_prob),
    forward: (tf, parameters, pictures) =>
      tf.tidy(() => forward({tf, parameters, config, batch: pictures.shape[0]}, pictures)),
  };
}
