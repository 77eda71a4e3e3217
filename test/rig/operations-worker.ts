// A process that runs every operation of ours with a number of threads and prints the SHA-256 of all the bytes that came out.
import {createHash} from 'node:crypto';
import type {Tensor} from '@tensorflow/tfjs';
import {stepScalars} from '../../stages/lib/training/adamw.ts';
import {adamw} from '../../stages/tensor/fused/adamw.ts';
import {addNorm} from '../../stages/tensor/fused/add-norm.ts';
import {rowAttention, selfAttention} from '../../stages/tensor/fused/attention.ts';
import {batchNorm} from '../../stages/tensor/fused/batch-norm.ts';
import {biasGelu} from '../../stages/tensor/fused/bias-gelu.ts';
import {groupNorm} from '../../stages/tensor/fused/group-norm.ts';
import {layerNorm} from '../../stages/tensor/fused/layer-norm.ts';
import {callNativeSingle, hasNativeOperations} from '../../stages/tensor/fused/native.ts';
import {multiplyNative} from '../../stages/tensor/fused/product.ts';
import {windowMean} from '../../stages/tensor/fused/window-mean.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';

const threads = Number(process.argv[2]);
const tf = await loadTensorLibrary('tensorflow', {threads});
if (!hasNativeOperations(tf)) throw new Error('the addon has no operations');
const used = callNativeSingle(tf, 'BasinThreads', []).dataSync()[0];
if (used !== threads) throw new Error(`${used} threads instead of ${threads}`);

/** Values without any random generator, and without two alike. */
const values = (shape: number[], seed: number): Tensor =>
  tf.sin(
    tf.add(
      tf.mul(
        tf
          .range(
            0,
            shape.reduce((a, b) => a * b, 1),
          )
          .reshape(shape),
        12.9898,
      ),
      seed,
    ),
  );
const vector = (size: number, seed: number) => values([size], seed).as1D();

const [images, tokens, heads, width] = [5, 37, 3, 48];
const rows = images * tokens;
const shape = {heads, tokens};
const norm = (gain: Tensor, shift: Tensor) => ({gain, shift, epsilon: 1e-6});

/** Everything that a block of a transformer is made of, but for its products. */
function block(qkv: Tensor, bias: Tensor, query: Tensor, kv: Tensor, gain: Tensor): Tensor {
  const small = gain.slice([0], [width]);
  const mixed = selfAttention(tf, {product: qkv, bias}, shape);
  const {sum, normal} = addNorm(tf, {product: mixed, bias: small, residual: query}, norm(small, small));
  const one = rowAttention(
    tf,
    {product: normal.slice([0, 0], [images, width]), bias: small},
    {product: kv, bias: bias.slice([0], [2 * width])},
    shape,
  );
  const activated = biasGelu(tf, layerNorm(tf, sum, norm(small, small)), small);
  return tf.add(tf.sum(tf.mul(activated, query)), tf.sum(tf.square(one)));
}

/** Ends of blocks of residual networks. */
function residualBlock(x: Tensor, residual: Tensor, gain: Tensor): Tensor {
  const [pictures, shortcut] = [x, residual].map((rows) => rows.as4D(images, tokens, heads, width));
  if (!pictures || !shortcut) throw new Error('no pictures');
  const after = {...norm(gain, gain), residual: shortcut, rectify: true};
  const y = groupNorm(tf, batchNorm(tf, pictures, after).pictures, {...after, groups: 8});
  return tf.sum(tf.mul(y, shortcut));
}

const inputs = [
  values([rows, 3 * width], 1),
  values([3 * width], 2),
  values([rows, width], 3),
  values([rows, 2 * width], 4),
  values([width], 5),
];
const size = 100_003;
const state = {flat: vector(size, 6), m: vector(size, 7), v: tf.square(vector(size, 8)).as1D()};
const update = {gradient: vector(size, 9), clip: 1, scalars: stepScalars(tf, 3, 1e-3, 0.01)};
const next = adamw(tf, state, update);
const window = vector(size - 7, 10);
const scored = [0, 4].map((place) =>
  windowMean(tf, {window, weights: next.flat, gradient: next.gradient, place: tf.scalar(place)}),
);
const loss = (...given: Tensor[]): Tensor => {
  const [qkv, bias, query, kv, gain] = given;
  if (!qkv || !bias || !query || !kv || !gain) throw new Error('too few inputs');
  return tf.add(block(qkv, bias, query, kv, gain), residualBlock(qkv, tf.sin(qkv), gain));
};
const products = (['fp32', 'bf16', 'bf16 by emulated tiles'] as const).map((arithmetic) =>
  multiplyNative(tf, values([1030, 200], 11), values([1030, 150], 12), {transposeA: true}, arithmetic),
);
const filters = ([1, 2] as const).map((stride) => {
  const x = values([7, 30, 31, 19], 13).as4D(7, 30, 31, 19);
  const kernel = values([3, 3, 19, 37], 14).as4D(3, 3, 19, 37);
  return tf.grad((w) => tf.sum(tf.square(tf.conv2d(x, w.as4D(...kernel.shape), stride, 'same'))))(kernel);
});
const hash = createHash('sha256');
for (const tensor of [
  loss(...inputs),
  ...tf.grads(loss)(inputs),
  ...Object.values(next),
  ...scored,
  ...products,
  ...filters,
]) {
  const array = tensor.dataSync<'float32'>();
  hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}
process.stdout.write(hash.digest('hex'));
