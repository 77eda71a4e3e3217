import type {Tensor, Tensor1D} from '@tensorflow/tfjs';
import {philox4x32} from '../lib/random/philox.ts';
import {isNodeBackend} from './capture/node-backend.ts';
import {withHandGradient} from './fused/hand-gradient.ts';
import {callNativeSingle} from './fused/native.ts';
import type {Tf} from './library.ts';

/** Sets each unit of a tensor to 0 with a probability and scales what stays by 1 / (1 − probability), as torch.nn.Dropout does. */
export type Dropout = (x: Tensor, probability: number) => Tensor;

/**
 * Dropout of one forward pass: its n-th use draws from the counter-based generator by `key`, int32 [2], and n, so that equal keys
 * give equal units on every back end, eager or captured, and whatever the number of threads. What a backward pass needs is kept.
 */
export function dropoutOf(tf: Tf, key: Tensor1D): Dropout {
  let uses = 0;
  return (x, probability) => {
    if (probability === 0) return x;
    const use = uses++;
    const scale = tf.mul(keptUnits(tf, key, use, x.shape, probability), 1 / (1 - probability));
    return withHandGradient(tf, [x], () => ({
      value: tf.mul(x, scale),
      saved: [scale],
      gradient: (dy, saved) => [tf.mul(dy, saved(0))],
    }));
  };
}

/** 1 where a unit stays and 0 where it goes. TensorFlow has the generator as an operation; elsewhere the host draws the same numbers. */
function keptUnits(tf: Tf, key: Tensor1D, use: number, shape: number[], probability: number): Tensor {
  const backend: object = tf.backend();
  if (!isNodeBackend(backend)) {
    const [first = 0, second = 0] = key.dataSync<'int32'>();
    const size = shape.reduce((product, side) => product * side, 1);
    const limit = Math.fround(probability);
    return tf.tensor(
      uniform(first, second + use, size).map((u) => (u >= limit ? 1 : 0)),
      shape,
    );
  }
  const seed = tf.add(key, tf.tensor1d([0, use], 'int32'));
  const drawn = callNativeSingle(tf, 'StatelessRandomUniform', [tf.tensor1d(shape, 'int32'), seed], {
    floats: ['dtype'],
    integerTypes: ['T', 'Tseed'],
  });
  return tf.cast(tf.greaterEqual(drawn, probability), 'float32');
}

/**
 * TensorFlow's StatelessRandomUniform of a seed of two int32, in [0, 1): Philox keyed by the seed after one round of mixing, each word's
 * low 23 bits as a fraction (tensorflow/core/kernels/stateless_random_ops.cc, lib/random/random_distributions.h).
 */
function uniform(first: number, second: number, size: number): Float32Array {
  const wide = (word: number): readonly [number, number] => [word >>> 0, word < 0 ? 0xffffffff : 0];
  const mixed = new Uint32Array(4);
  philox4x32([0x3ec8f720, 0x02461e29], [...wide(first), ...wide(second | 0)], mixed);
  const [k0 = 0, k1 = 0, c2 = 0, c3 = 0] = mixed;
  const words = new Uint32Array(Math.ceil(size / 4) * 4);
  for (let block = 0; block * 4 < size; block++) philox4x32([k0, k1], [block, 0, c2, c3], words, block * 4);
  return Float32Array.from({length: size}, (_, index) => ((words[index] ?? 0) & 0x7fffff) / 2 ** 23);
}
