import type {Tensor1D} from '@tensorflow/tfjs';
import type {Checkpoint} from '../../../src/stage/checkpoint.ts';
import type {Tensors} from '../../tensor/capture/record.ts';

/** What gives every prunable weight a score during training; the methods are called where those of TrainingHook are. */
export interface Scorer {
  /** The first step after which scores say anything. */
  readonly firstStep: number;
  /** Whether the final phase chooses anew after every step, and not only at multiples of ΔT. */
  readonly everyStep?: boolean;
  inputs?(step: number): Tensors;
  /** In the captured step: further results. */
  afterUpdate?(flat: Tensor1D, gradient: Tensor1D, inputs: Tensors): Tensors;
  afterStep?(step: number, given: Tensors): void;
  /** The scores of the prunable front of the parameters: higher is kept. */
  scores(flat: Tensor1D): Float32Array;
  snapshot?(): Checkpoint['arrays'];
  restore?(arrays: Checkpoint['arrays']): void;
  dispose?(): void;
}
