import type {Tensor} from '@tensorflow/tfjs';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, vectorOf} from '../../tensor/capture/named.ts';
import {drawInteger} from '../data/permutation.ts';
import {batchBuffer, fillBatch, labelTensor, pictureTensor} from '../pictures/batch.ts';
import {abortableBreather} from '../training/breather.ts';
import {meanCrossEntropy} from '../training/cross-entropy.ts';
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
    const labels = vectorOf(inputs, 'labels');
    const gradient = tf.grad((flat: Tensor) => {
      const logits = model.forward(tf, split(tf, layout, flat.as1D()), batchOf(inputs, 'pictures'));
      return meanCrossEntropy(tf, logits, labels);
    })(vectorOf(inputs, 'flat'));
    return {gradient};
  });
  const drawn = Array.from({length: samples}, (_, sample) => drawInteger(data.train.n, seed, 'fisher', 0, sample, 0));
  const buffer = batchBuffer(preprocessing, Math.min(batch, samples));
  const pause = abortableBreather(signal);
  const flat = tf.tensor1d(task.start);
  try {
    for (let start = 0; start < samples; start += batch) {
      const indices = drawn.slice(start, start + batch);
      fillBatch(buffer, data.train, indices, preprocessing);
      const gradient = tf.tidy(() => {
        const pictures = pictureTensor(tf, buffer, preprocessing, indices.length);
        const labels = labelTensor(tf, buffer, indices.length);
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
