import {evaluate, logitsFunction} from '../stages/lib/evaluate.ts';
import {initialise} from '../stages/lib/models/initialise.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import {bindPreprocessor} from '../stages/lib/pictures/preprocessor.ts';
import {type OptimizerState, stepScalars} from '../stages/lib/training/adamw.ts';
import {layoutOf, pack} from '../stages/lib/training/parameter-layout.ts';
import {capturedStep, stateIn} from '../stages/lib/training/train-step.ts';
import type {Tf} from '../stages/tensor/library.ts';
import type {Case} from './cases.ts';

/** Pictures of an evaluation: one batch of its own. */
export const EVALUATED = 250;

/** What is timed of a case on the back end in charge; each waits until the numbers are on the host. */
export interface Work {
  /** One optimizer step, from pixels on the host to new parameters and the loss read, as training does it. */
  step(): void;
  /** One evaluation of EVALUATED pictures, from bytes. */
  evaluation(): Promise<void>;
}

export function workOf(tf: Tf, {batch, config}: Case): Work {
  const model = bindModel({...config});
  const layout = layoutOf(model.parameters);
  const {channels, imageSize: size} = model;
  const pictures = {
    n: EVALUATED,
    channels,
    height: size,
    width: size,
    values: Uint8Array.from({length: EVALUATED * channels * size * size}, (_, index) => (index * 7919) % 256),
    labels: Int32Array.from({length: EVALUATED}, (_, index) => index % model.labels),
  };
  const pixels = Float32Array.from(pictures.values.subarray(0, batch * channels * size * size), (x) => x / 128 - 1);
  const step = capturedStep(tf, {model, layout, clip: 1});
  let state: OptimizerState = {
    flat: tf.tensor1d(pack(layout, initialise(model, 0))),
    m: tf.zeros([layout.size]),
    v: tf.zeros([layout.size]),
  };
  const preprocessing = bindPreprocessor({}, model, pictures);
  const network = {model, preprocessing, logits: logitsFunction(tf, model, layout)};
  let steps = 0;
  return {
    step() {
      const {loss, ...next} = tf.tidy(() => {
        const shown = {
          pictures: tf.tensor4d(pixels, [batch, channels, size, size]),
          labels: tf.tensor1d(pictures.labels.subarray(0, batch), 'int32'),
        };
        return step({...state, ...shown, ...stepScalars(tf, ++steps, 1e-4, 0.01)});
      });
      tf.dispose([state.flat, state.m, state.v]);
      state = stateIn(next);
      loss?.dataSync();
      loss?.dispose();
    },
    async evaluation() {
      await evaluate(tf, network, state.flat, pictures, async () => {});
    },
  };
}

/** A product that is large enough to show a back end's peak. */
const PEAK = {rows: 2080, inner: 768, columns: 768} as const;
export const PEAK_OPERATIONS = 2 * PEAK.rows * PEAK.inner * PEAK.columns;

export function peakProductOf(tf: Tf): () => void {
  const a = tf.randomNormal([PEAK.rows, PEAK.inner]);
  const b = tf.randomNormal([PEAK.inner, PEAK.columns]);
  return () => {
    tf.tidy(() => {
      tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync(); // read, so that it is done
    });
  };
}
