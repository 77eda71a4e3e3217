import type {Tensor} from '@tensorflow/tfjs';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import {captured} from '../../tensor/capture/captured.ts';
import {batchOf, vectorOf} from '../../tensor/capture/named.ts';
import {throughModel} from '../models/through-model.ts';
import {labelTensor, pictureTensor} from '../pictures/batch.ts';
import {meanCrossEntropy} from '../training/cross-entropy.ts';
import {split} from '../training/parameter-layout.ts';
import type {Task} from '../training/task.ts';
import {type Sampling, sampledBatches} from './sampled-batches.ts';

/** The gradient of each sampled batch's mean loss by all parameters, in evaluation. */
export async function* batchGradients(
  task: Task,
  sampling: Sampling,
  services: StageServices,
): AsyncGenerator<Float32Array> {
  const {tf, progress} = services;
  const {model, layout, preprocessing} = task;
  const gradientOf = captured(tf, 'gradient of a batch', (inputs) => {
    const labels = vectorOf(inputs, 'labels');
    const grad = tf.grad((flat: Tensor) => {
      const logits = model.forward(tf, split(tf, layout, flat.as1D()), batchOf(inputs, 'pictures'));
      return meanCrossEntropy(tf, logits, labels);
    });
    return {gradient: throughModel(model, () => grad(vectorOf(inputs, 'flat')))};
  });
  const flat = tf.tensor1d(task.start);
  let done = 0;
  try {
    for await (const {n, ...buffer} of sampledBatches(task, sampling, services)) {
      const gradient = tf.tidy(() => {
        const pictures = pictureTensor(tf, buffer, preprocessing, n);
        const labels = labelTensor(tf, buffer, n);
        return vectorOf(gradientOf({flat, pictures, labels}), 'gradient');
      });
      yield gradient.dataSync<'float32'>();
      gradient.dispose();
      done += n;
      progress({step: done, steps: sampling.samples});
    }
  } finally {
    flat.dispose();
  }
}
