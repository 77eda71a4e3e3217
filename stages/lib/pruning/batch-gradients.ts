import type {Tensor} from '@tensorflow/tfjs';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, vectorOf} from '../../tensor/capture/named.ts';
import {drawInteger} from '../data/permutation.ts';
import {batchBuffer, fillBatch} from '../pictures/batch.ts';
import {abortableBreather} from '../training/breather.ts';
import {split} from '../training/parameter-layout.ts';
import type {Task} from '../training/task.ts';

interface Sampling {
  readonly samples: number;
  readonly batch: number;
  readonly seed: number;
}

/** The gradient of each batch's mean loss by all parameters, in evaluation; training pictures are drawn with replacement. */
export async function* batchGradients(
  task: Task,
  {samples, batch, seed}: Sampling,
  services: StageServices,
): AsyncGenerator<Float32Array> {
  const {tf, signal, progress} = services;
  const {model, layout, data, preprocessing} = task;
  const gradientOf = captured(tf, 'gradient of a batch', (inputs) => {
    const labels = tf.cast(tf.oneHot(vectorOf(inputs, 'labels'), model.labels), 'float32');
    const gradient = tf.grad((flat: Tensor) => {
      const logits = model.forward(tf, split(tf, layout, flat.as1D()), batchOf(inputs, 'pictures'));
      return tf.losses.softmaxCrossEntropy(labels, logits);
    })(vectorOf(inputs, 'flat'));
    return {gradient};
  });
  const drawn = Array.from({length: samples}, (_, sample) => drawInteger(data.train.n, seed, 'fisher', 0, sample, 0));
  const buffer = batchBuffer(preprocessing, Math.min(batch, samples));
  const pause = abortableBreather(signal);
  const flat = tf.tensor1d(task.start);
  const {channels, size} = preprocessing;
  try {
    for (let start = 0; start < samples; start += batch) {
      const indices = drawn.slice(start, start + batch);
      fillBatch(buffer, data.train, indices, preprocessing);
      const gradient = tf.tidy(() => {
        const pixels = buffer.pixels.subarray(0, indices.length * channels * size * size);
        const pictures = tf.tensor4d(pixels, [indices.length, channels, size, size]);
        const labels = tf.tensor1d(buffer.labels.subarray(0, indices.length), 'int32');
        return vectorOf(gradientOf({flat, pictures, labels}), 'gradient');
      });
      yield gradient.dataSync<'float32'>();
      gradient.dispose();
      progress({step: Math.min(samples, start + batch), steps: samples});
      await pause();
    }
  } finally {
    flat.dispose();
  }
}
