import * as tf from '@tensorflow/tfjs';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {layoutOf, pack, split} from '../../stages/lib/training/parameter-layout.ts';
import {lcg} from '../training/golden.ts';
import {plainLoss} from './plain-vit.ts';

/** The network whose line and layers golden.json measures. */
export const tiny = bindModel({
  ...{model: 'vit', labels: 3, hidden_size: 16, image_size: 8, patch_size: 4, num_hidden_layers: 2},
  ...{num_attention_heads: 4, intermediate_size: 24, layer_norm_eps: 1e-12},
});
export const layout = layoutOf(tiny.parameters);

/** Its parameters by golden.json's formula. */
function network(seed: number): Float32Array {
  const next = lcg(seed);
  const tensors = tiny.parameters.map(({name, shape}) => {
    const offset = name.includes('layernorm') && name.endsWith('weight') ? 1 : 0;
    const size = shape.reduce((product, extent) => product * extent, 1);
    return {name, shape, values: Float32Array.from({length: size}, () => (next() - 0.5) * 0.4 + offset)};
  });
  return pack(layout, tensors);
}
export const [a, b] = [network(12345), network(54321)];

const pixel = lcg(888);
const PICTURES = 16;
const values = Float32Array.from({length: PICTURES * 192}, () => (pixel() - 0.5) * 2);

/** Loss and error in percent on golden.json's sixteen pictures, of classes 0, 1, 2, 0 …, by basin's network. */
export function measure(flat: Float32Array): {readonly loss: number; readonly error: number} {
  const logits = tf.tidy(() => {
    const pictures = tf.tensor4d(values, [PICTURES, 3, 8, 8]);
    return tiny.forward(tf, split(tf, layout, tf.tensor1d(flat)), pictures).dataSync<'float32'>();
  });
  const scores = Array.from({length: PICTURES}, (_, index) =>
    Float64Array.from(logits.subarray(3 * index, 3 * index + 3)),
  );
  const wrong = scores.filter((of, index) => of.indexOf(Math.max(...of)) !== index % 3).length;
  const loss = scores.reduce((sum, of, index) => sum + plainLoss(of, index % 3), 0) / PICTURES;
  return {loss, error: (100 * wrong) / PICTURES};
}
