import type {Tensor2D} from '@tensorflow/tfjs';
import type {Row} from '../../src/artifact/kinds.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import type {Tf} from '../tensor/library.ts';
import type {Pictures} from './data/pictures.ts';
import type {Model, ParameterTensors} from './models/model.ts';
import {type BatchBuffer, batchBuffer, fillBatch} from './pictures/batch.ts';
import type {Preprocessing} from './pictures/preprocessor.ts';

/** Pictures in an evaluation batch. It changes no result beyond the last bits of a matrix product. */
const BATCH = 250;

/** How well a network does on pictures. */
export interface Evaluation {
  /** Mean cross-entropy over the pictures, in nats, summed in float64. */
  readonly loss: number;
  /** Pictures classified wrongly, in percent; a tie goes to the lowest class. */
  readonly error: number;
  readonly accuracy: number;
  readonly n: number;
}

/** Evaluates without augmentation; `pause` is awaited between batches, so that a stop arrives. */
export async function evaluate(
  tf: Tf,
  model: Model,
  parameters: ParameterTensors,
  pictures: Pictures,
  preprocessing: Preprocessing,
  pause: () => Promise<void>,
): Promise<Evaluation> {
  const buffer = batchBuffer(preprocessing, Math.min(BATCH, pictures.n));
  let loss = 0;
  let wrong = 0;
  for (let start = 0; start < pictures.n; start += BATCH) {
    const n = Math.min(BATCH, pictures.n - start);
    fillBatch(
      buffer,
      pictures,
      Array.from({length: n}, (_, place) => start + place),
      preprocessing,
    );
    const logits = logitsOf(tf, model, parameters, preprocessing, buffer, n);
    for (let row = 0; row < n; row++) {
      const scores = logits.subarray(row * model.labels, (row + 1) * model.labels);
      const label = buffer.labels[row] ?? 0;
      loss += crossEntropy(scores, label);
      if (largest(scores) !== label) wrong++;
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

function logitsOf(
  tf: Tf,
  model: Model,
  parameters: ParameterTensors,
  {channels, size}: Preprocessing,
  buffer: BatchBuffer,
  n: number,
): Float32Array {
  const input = tf.tensor4d(buffer.pixels.subarray(0, n * channels * size * size), [n, channels, size, size]);
  const logits: Tensor2D = tf.tidy(() => model.forward(tf, parameters, input));
  const values = logits.dataSync<'float32'>();
  tf.dispose([input, logits]);
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
