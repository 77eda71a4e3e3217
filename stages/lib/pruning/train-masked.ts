import type {StageServices} from '../../../src/stage/define-stage.ts';
import type {TrainingParameters} from '../training/parameters.ts';
import type {Task} from '../training/task.ts';
import {train} from '../training/train.ts';
import {fixedMask} from './masks.ts';

/** Trains what one bit for each parameter keeps; what it does not stays exactly 0. */
export async function trainMasked(task: Task, params: TrainingParameters, services: StageServices, bits: Uint8Array) {
  const kept = services.tf.tensor1d(bits, 'bool');
  try {
    return await train(task, params, services, fixedMask(services.tf, kept));
  } finally {
    kept.dispose();
  }
}
