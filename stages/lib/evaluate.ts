import type {Tensor1D} from '@tensorflow/tfjs';
import type {Row} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {captured} from '../tensor/capture/captured.ts';
import {batchOf, matrixOf, vectorOf} from '../tensor/capture/named.ts';
import type {TensorFunction} from '../tensor/capture/record.ts';
import type {Tf} from '../tensor/library.ts';
import type {Pictures} from './data/pictures.ts';
import type {Model} from './models/model.ts';
import {type BatchBuffer, batchBuffer, pictureTensor} from './pictures/batch.ts';
import {preprocessed} from './pictures/preprocessed.ts';
import type {Preprocessing} from './pictures/preprocessor.ts';
import {type ParameterLayout, split} from './training/parameter-layout.ts';

/** Most pictures in an evaluation batch. It changes no result beyond the last bits of a matrix product. */
const BATCH = 250;

/** What is evaluated: a model without its parameters. */
export interface Network {
  readonly model: Model;
  readonly preprocessing: Preprocessing;
  /** `flat` [size] and `pictures` [B, C, S, S] → `logits` [B, K]. */
  readonly logits: TensorFunction;
}

/** The logits of a model whose parameters are one vector; made once for all evaluations, so that they share a graph. */
export const logitsFunction = (tf: Tf, model: Model, layout: ParameterLayout): TensorFunction =>
  captured(tf, 'logits', (inputs) => ({
    logits: model.forward(tf, split(tf, layout, vectorOf(inputs, 'flat')), batchOf(inputs, 'pictures')),
  }));

/** How well a network does on pictures. */
export interface Evaluation {
  /** Mean cross-entropy over the pictures, in nats, summed in float64. */
  readonly loss: number;
  /** Pictures classified wrongly, in percent; a tie goes to the lowest class. */
  readonly error: number;
  readonly accuracy: number;
  readonly n: number;
}

/** What a network made of one picture: its place among those evaluated, label, predicted class and cross-entropy in nats. */
export interface Example {
  readonly example: number;
  readonly label: number;
  readonly predicted: number;
  readonly loss: number;
}

/**
 * Evaluates a vector of parameters without augmentation; `pause` is awaited between batches, so that a stop arrives. `note` is
 * told of every picture.
 */
export async function evaluate(
  tf: Tf,
  network: Network,
  flat: Tensor1D,
  pictures: Pictures,
  pause: () => Promise<void>,
  note?: (example: Example) => void,
): Promise<Evaluation> {
  const {model, preprocessing} = network;
  // batches of one size, the last one filled up with pictures of the one before: a graph for one shape serves them all
  const batch = Math.ceil(pictures.n / Math.ceil(pictures.n / BATCH));
  const buffer = batchBuffer(preprocessing, batch);
  const prepared = preprocessed(pictures, preprocessing);
  let loss = 0;
  let wrong = 0;
  for (let start = 0; start < pictures.n; start += batch) {
    const n = Math.min(batch, pictures.n - start);
    prepared.fill(buffer, start, n);
    const logits = logitsOf(tf, network, flat, buffer);
    for (let row = 0; row < n; row++) {
      const scores = logits.subarray(row * model.labels, (row + 1) * model.labels);
      const label = buffer.labels[row] ?? 0;
      const own = crossEntropy(scores, label);
      const predicted = largest(scores);
      loss += own;
      if (predicted !== label) wrong++;
      note?.({example: start + row, label, predicted, loss: own});
    }
    await pause();
  }
  if (!Number.isFinite(loss)) {
    throw new StageError(
      'The network gives outputs that are not finite.',
      'Its weights are broken: train it with a lower learning rate.',
    );
  }
  const error = (100 * wrong) / pictures.n;
  return {loss: loss / pictures.n, error, accuracy: (100 * (pictures.n - wrong)) / pictures.n, n: pictures.n};
}

function logitsOf(tf: Tf, {logits, preprocessing}: Network, flat: Tensor1D, buffer: BatchBuffer): Float32Array {
  const output = tf.tidy(() => {
    const pictures = pictureTensor(tf, buffer, preprocessing, buffer.labels.length);
    return matrixOf(logits({flat, pictures}), 'logits');
  });
  const values = output.dataSync<'float32'>(); // outside, as tidy looks for tensors in every number that it is given back
  output.dispose();
  return values;
}

/** −log softmax(scores)[label] in float64. */
function crossEntropy(scores: Float32Array, label: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const score of scores) top = Math.max(top, score);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - top);
  return top + Math.log(sum) - (scores[label] ?? 0);
}

function largest(scores: Float32Array): number {
  let place = 0;
  for (let index = 1; index < scores.length; index++) if ((scores[index] ?? 0) > (scores[place] ?? 0)) place = index;
  return place;
}

/** An evaluation as the columns of a table. */
export const evaluationRow = (
  split: string,
  {loss, error, accuracy, n}: Evaluation,
): Row & {readonly split: string} => ({split, loss, error, accuracy, n});

/** The columns of `evaluationRow`, for a `summary`. */
export const EVALUATION_COLUMNS = {
  split: 'utf8',
  loss: 'float64',
  error: 'float64',
  accuracy: 'float64',
  n: 'int32',
} as const;
