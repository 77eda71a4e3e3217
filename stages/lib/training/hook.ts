import type {Tensor1D} from '@tensorflow/tfjs';
import type {Checkpoint} from '../../../src/stage/checkpoint.ts';
import type {Tensors} from '../../tensor/capture/record.ts';

/** The parameters that a step ends with, and whatever else a hook makes of them in the captured step. */
export type Updated = {readonly flat: Tensor1D} & Tensors;

/**
 * What pruning, masking and whatever comes later add to the bare loop. A part of it belongs to the captured step: that is pure, and
 * what changes from step to step reaches it as tensors. The rest runs on the host between steps. Tensors it keeps are its own to dispose of.
 */
export interface TrainingHook {
  /** The parameters training starts from; called inside tidy. */
  start?(flat: Tensor1D): Tensor1D;
  /** Further inputs of captured step t (from 1), always of the same names and shapes; called inside tidy. */
  inputs?(step: number): Tensors;
  /** In the captured step: what the optimizer gets of a gradient, before clipping. */
  afterGradients?(gradient: Tensor1D, inputs: Tensors): Tensor1D;
  /** In the captured step: what it makes of the updated parameters and the clipped gradient, taken at the old parameters. */
  afterUpdate?(flat: Tensor1D, gradient: Tensor1D, inputs: Tensors): Updated;
  /** Between steps: the parameters after step t, from all that the captured step gave; called inside tidy. */
  afterStep?(step: number, given: Updated): Tensor1D;
  /** The parameters as they are evaluated between steps; called inside tidy. */
  evaluated?(flat: Tensor1D): Tensor1D;
  /** Further columns of the metrics row of the step just done. */
  columns?(): Readonly<Record<string, number>>;
  /** What it must find again to go on from a checkpoint as if nothing had happened; and taking it back. */
  snapshot?(): Checkpoint;
  restore?(checkpoint: Checkpoint): void;
}
