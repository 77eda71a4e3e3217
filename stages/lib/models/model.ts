import type {Tensor, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import type {JsonObject} from '../../../src/base/json.ts';
import type {Dropout} from '../../tensor/dropout.ts';
import type {Tf} from '../../tensor/library.ts';

/** Parameters by their on-disk HuggingFace names. */
export type ParameterTensors = Readonly<Record<string, Tensor>>;

export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** How random weights start; `uniform` lies between -scale and scale, `unit` between 0 and 1. */
  readonly init: 'normal' | 'uniform' | 'unit' | 'zeros' | 'ones';
  /** Standard deviation of `normal`, half the width of `uniform`; not given is 0.02. */
  readonly scale?: number;
  /** Whether pruning may take weights of it: weight matrices of the body, never biases, norms, embeddings or the head. */
  readonly prunable: boolean;
  /** Belongs to the classifier, so it is replaced when a head is made anew. */
  readonly head: boolean;
  /** A running statistic: no gradient reaches it; it follows what `trainingPass` gives for it. */
  readonly buffer?: true;
}

/** What training sees of a batch. */
export interface TrainingPass {
  readonly logits: Tensor2D;
  /** The batch's own estimate of every buffer, by name. */
  readonly statistics: ParameterTensors;
}

/** A model closed over a checked configuration. */
export interface Model {
  /** Canonical, as stored in a `weights` artifact: `{model: "vit", …}` with every default filled in. */
  readonly config: JsonObject;
  /** Sorted by name, by code unit. */
  readonly parameters: readonly ParameterShape[];
  readonly channels: number;
  /** Height and width of a picture in pixels. */
  readonly imageSize: number;
  readonly labels: number;
  /** The largest probability of dropout in training; where it is 0, `forward` needs no `dropout`. */
  readonly dropout: number;
  /** Of a user's model: its file, for what is wrong with its gradient, which no line of it calls for. */
  readonly file?: string;
  /** Pictures [B, channels, imageSize, imageSize], preprocessed → logits [B, labels]. Pure; units drop out in training only, by `dropout`. */
  forward(tf: Tf, parameters: ParameterTensors, pictures: Tensor4D, dropout?: Dropout): Tensor2D;
  /** The same in training, of a model with buffers: it normalises by the batch, and reads no buffer. */
  trainingPass?(tf: Tf, parameters: ParameterTensors, pictures: Tensor4D): TrainingPass;
}
