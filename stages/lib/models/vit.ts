import type {Tensor, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import type {Dropout} from '../../tensor/dropout.ts';
import {addNorm} from '../../tensor/fused/add-norm.ts';
import {type Projected, rowAttention, selfAttention} from '../../tensor/fused/attention.ts';
import {layerNorm} from '../../tensor/fused/layer-norm.ts';
import type {Precision} from '../../tensor/fused/product.ts';
import type {Tf} from '../../tensor/library.ts';
import {activate} from './activation.ts';
import {linear, linearOfData, linearParameters, normOf, parameterOf, product} from './layers.ts';
import type {Model, ParameterTensors} from './model.ts';
import {patchesOf} from './patches.ts';
import {tokensOf, type VitConfig} from './vit-config.ts';
import {blockNames, CLASS_TOKEN, CLASSIFIER, FINAL_NORM, PATCHES, POSITIONS, vitParameters} from './vit-parameters.ts';

/** A batch on its way through the blocks; token rows are [B · T, D]. */
interface Pass {
  readonly tf: Tf;
  readonly parameters: ParameterTensors;
  readonly config: VitConfig;
  readonly batch: number;
  /** Of linear layers; attention's own products are always in float32. */
  readonly precision: Precision;
  /** In training, where the configuration has any. */
  readonly dropout: Dropout | undefined;
}

/** Dropout of what enters the residual stream, in training. */
const hiddenDropout = ({dropout, config}: Pass, x: Tensor): Tensor => dropout?.(x, config.hidden_dropout_prob) ?? x;

/** A projection that has dropped out, its bias already in it; untouched where nothing drops out. */
function dropped(pass: Pass, projected: Projected): Projected {
  const {tf, dropout, config} = pass;
  if (!dropout || config.hidden_dropout_prob === 0) return projected;
  const {product: rows, bias} = projected;
  return {product: hiddenDropout(pass, tf.add(rows, bias)), bias: tf.zerosLike(bias)};
}

/** Dropout of attention's weights, in training. */
function attentionDropout({dropout, config}: Pass): ((weights: Tensor) => Tensor) | undefined {
  const probability = config.attention_probs_dropout_prob;
  return dropout && probability > 0 ? (weights) => dropout(weights, probability) : undefined;
}

/** Pictures → token rows [B · T, D]: class token first, then the patches row by row, positions added. */
function embed(pass: Pass, pictures: Tensor4D): Tensor {
  const {tf, parameters, config, batch, precision} = pass;
  const {hidden_size: width, patch_size: patch} = config;
  const tokens = tokensOf(config);
  const kernel = tf.reshape(parameterOf(parameters, `${PATCHES}.weight`), [width, -1]);
  const bias = parameterOf(parameters, `${PATCHES}.bias`);
  const projected = linearOfData(tf, {weight: kernel, bias}, patchesOf(tf, pictures, patch), precision);
  // adding zeros spreads the class token over the batch; the gradient of tf.tile would be a loop over the batch
  const classes = tf.add(parameterOf(parameters, CLASS_TOKEN), tf.zeros([batch, 1, 1]));
  const sequence = tf.concat([classes, tf.reshape(projected, [batch, tokens - 1, width])], 1);
  return hiddenDropout(pass, tf.reshape(tf.add(sequence, parameterOf(parameters, POSITIONS)), [batch * tokens, width]));
}

/** The class token's row of each picture: [B · T, D] → [B, D]. */
function classRows({tf, config, batch}: Pass, rows: Tensor): Tensor {
  const sequence = tf.reshape(rows, [batch, -1, config.hidden_size]);
  return tf.reshape(tf.slice(sequence, [0, 0, 0], [batch, 1, config.hidden_size]), [batch, config.hidden_size]);
}

/** Several linear layers of the same rows as one: x [N, in] → their outputs side by side, without their biases yet. */
function project({tf, parameters, precision}: Pass, names: readonly string[], x: Tensor): Projected {
  const layers = names.map((name) => linearParameters(parameters, name));
  const biases = layers.map(({weight, bias}) => bias ?? tf.zeros([weight.shape[0] ?? 0]));
  return {
    product: product(
      tf,
      x,
      tf.concat(
        layers.map(({weight}) => weight),
        0,
      ),
      precision,
    ),
    bias: tf.concat(biases, 0),
  };
}

/** What flows through the blocks: token rows, and their normal form that the next part of a block reads. */
interface Stream {
  readonly sum: Tensor;
  readonly normal: Tensor;
}

/** What a block computes, rows of all tokens, of the last block of the class token alone. */
export interface BlockRows {
  /** The residual stream [R, D] before the block, after its attention, and after its MLP. */
  readonly before: Tensor;
  readonly attended: Tensor;
  readonly after: Tensor;
  /** What attention's output layer reads, the heads' contexts side by side [R, D]. */
  readonly context: Tensor;
  /** What the MLP's second layer reads [R, inner]. */
  readonly neurons: Tensor;
}

/**
 * One block, and the normalisation that follows it. Of the last one only the class token's row is read by the classifier, so there (`last`)
 * only that row's query, projection and MLP are computed: the same logits and gradients for much less work.
 */
function block(pass: Pass, layer: number, {sum, normal}: Stream, last: boolean): Stream & {readonly rows: BlockRows} {
  const {tf, parameters, config} = pass;
  const {layer_norm_eps: epsilon, num_attention_heads: heads} = config;
  const names = blockNames(layer);
  const shape = {heads, tokens: tokensOf(config)};
  const drop = attentionDropout(pass);
  const mixed = last
    ? rowAttention(
        tf,
        project(pass, [names.query], classRows(pass, normal)),
        project(pass, [names.key, names.value], normal),
        shape,
        drop,
      )
    : selfAttention(tf, project(pass, [names.query, names.key, names.value], normal), shape, drop);
  const before = last ? classRows(pass, sum) : sum;
  const attended = addNorm(
    tf,
    {...dropped(pass, project(pass, [names.attentionOutput], mixed)), residual: before},
    normOf(parameters, names.normAfter, epsilon),
  );
  const inner = project(pass, [names.intermediate], attended.normal);
  const next = last ? FINAL_NORM : blockNames(layer + 1).normBefore;
  const neurons = activate(tf, config.hidden_act, inner.product, inner.bias);
  const stream = addNorm(
    tf,
    {...dropped(pass, project(pass, [names.output], neurons)), residual: attended.sum},
    normOf(parameters, next, epsilon),
  );
  return {...stream, rows: {before, attended: attended.sum, after: stream.sum, context: mixed, neurons}};
}

/** The stream before the first block. */
function start(pass: Pass, pictures: Tensor4D): Stream {
  const {tf, parameters, config} = pass;
  const sum = embed(pass, pictures);
  return {sum, normal: layerNorm(tf, sum, normOf(parameters, blockNames(0).normBefore, config.layer_norm_eps))};
}

function forward(pass: Pass, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config, precision} = pass;
  const layers = config.num_hidden_layers;
  let stream = start(pass, pictures);
  for (let layer = 0; layer < layers; layer++) stream = block(pass, layer, stream, layer === layers - 1);
  return linear(tf, linearParameters(parameters, CLASSIFIER), stream.normal, precision).as2D(pass.batch, config.labels);
}

/** What block `layer` computes, without dropout; the blocks after it are not run. */
export function blockRows(
  {tf, config, precision}: Pick<Pass, 'tf' | 'config' | 'precision'>,
  parameters: ParameterTensors,
  pictures: Tensor4D,
  layer: number,
): BlockRows {
  return tf.tidy(() => {
    const pass = {tf, parameters, config, batch: pictures.shape[0], precision, dropout: undefined};
    let stream = start(pass, pictures);
    for (let before = 0; before < layer; before++) stream = block(pass, before, stream, false);
    return {...block(pass, layer, stream, layer === config.num_hidden_layers - 1).rows};
  });
}

/** HuggingFace's `ViTForImageClassification`: pictures → logits (docs/science/models.md). */
export function vit(config: VitConfig, precision: Precision): Model {
  return {
    config: {...config},
    parameters: vitParameters(config),
    channels: config.num_channels,
    imageSize: config.image_size,
    labels: config.labels,
    dropout: Math.max(config.hidden_dropout_prob, config.attention_probs_dropout_prob),
    forward: (tf, parameters, pictures, dropout) =>
      tf.tidy(() => forward({tf, parameters, config, batch: pictures.shape[0], precision, dropout}, pictures)),
  };
}
