import {availableParallelism} from 'node:os';
import type {Pictures} from '../stages/lib/data/pictures.ts';
import {initialise} from '../stages/lib/models/initialise.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import {augmentSchema} from '../stages/lib/pictures/augment-schema.ts';
import {openFeed} from '../stages/lib/pictures/feed.ts';
import {bindPreprocessor} from '../stages/lib/pictures/preprocessor.ts';
import {stepScalars} from '../stages/lib/training/adamw.ts';
import {adamwAsItComes} from '../stages/lib/training/optimizer.ts';
import {layoutOf, pack} from '../stages/lib/training/parameter-layout.ts';
import {capturedStep, stateOf, type TrainingState} from '../stages/lib/training/train-step.ts';
import {scalarOf} from '../stages/tensor/capture/named.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {MODELS} from './cases.ts';
import {readOptions} from './options.ts';
import {median} from './result.ts';
import {STUDY, smoothColours} from './study.ts';

/**
 * Training steps a second with the study's augmentation, by the number of threads that prepare pictures beside the caller:
 *
 *     bin/basin-node bench/feed.ts [--rounds N] [--steps N] [--threads 0,1] [--tensor-threads N] [--case NAME] [--json]
 *
 * Numbers of threads take turns in every round. Fewer tensor threads than cores stand for a machine whose cores a step does not fill.
 */
const {values: options} = readOptions(import.meta.filename, {
  options: {
    rounds: {type: 'string', default: '5'},
    steps: {type: 'string', default: '20'},
    threads: {type: 'string', default: '0,1'},
    'tensor-threads': {type: 'string', default: String(availableParallelism())},
    case: {type: 'string'},
    json: {type: 'boolean', default: false},
  },
});

const BATCH = 32;
const [small, middle] = [MODELS['D64-L4'], MODELS['D192-L6']];
const CASES = [
  {name: 'D64-L4 at 32', config: {...small, num_channels: 3}, share: 1},
  {name: 'D192-L6 at 32', config: {...middle, num_channels: 3}, share: 0.5},
  {name: 'D64-L4 at 224', config: {...small, num_channels: 3, image_size: 224, patch_size: 16}, share: 0.5},
  {name: 'D192-L6 at 224', config: {...middle, num_channels: 3, image_size: 224, patch_size: 16}, share: 0.25},
].filter(({name}) => options.case === undefined || name === options.case);

const tf = await loadTensorLibrary('tensorflow', {threads: Number(options['tensor-threads'])});
const pictures: Pictures = smoothColours(2000, 32);
const augment = augmentSchema.parse(STUDY);
const counts = options.threads.split(',').map(Number);

for (const {name, config, share} of CASES) {
  const model = bindModel(JSON.parse(JSON.stringify(config)));
  const layout = layoutOf(model.parameters);
  const step = capturedStep(tf, {model, layout, clip: 1});
  const preprocessing = bindPreprocessor({}, model, pictures);
  const steps = Math.ceil(Number(options.steps) * share);
  const start = pack(layout, initialise(model, 0));
  const rates = new Map(counts.map((threads): [number, number[]] => [threads, []]));

  /** Steps a second, of all but the first few. */
  const measure = async (threads: number): Promise<number> => {
    const warm = 3;
    const feed = openFeed({
      pictures,
      preprocessing,
      augment,
      seed: 1,
      batch: BATCH,
      batches: warm + steps,
      planOf: (batch) => ({
        epoch: 0,
        indices: Uint32Array.from({length: BATCH}, (_, place) => (batch * BATCH + place) % pictures.n),
      }),
      threads,
      log: console.error,
    });
    const flat = tf.tensor1d(start);
    let state: TrainingState = {flat, m: tf.zerosLike(flat), v: tf.zerosLike(flat)};
    let from = performance.now();
    for (let done = 1; done <= warm + steps; done++) {
      const {pixels, labels, n} = await feed.next();
      const next = tf.tidy(() => {
        const given = step({
          ...state,
          pictures: tf.tensor4d(pixels, [n, model.channels, model.imageSize, model.imageSize]),
          labels: tf.tensor1d(labels, 'int32'),
          ...stepScalars(tf, done, 1e-4, 0.01),
        });
        return {state: stateOf(adamwAsItComes, given), loss: scalarOf(given, 'loss')};
      });
      next.loss.dataSync();
      tf.dispose([...Object.values(state), next.loss]);
      state = next.state;
      if (done === warm) from = performance.now();
    }
    const rate = (1000 * steps) / (performance.now() - from);
    tf.dispose(Object.values(state));
    await feed.close();
    return rate;
  };

  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const threads of counts) {
      const rate = await measure(threads);
      if (round > 0) rates.get(threads)?.push(rate); // the first round records the graph
    }
  }
  for (const [threads, all] of rates) {
    const line = {case: name, threads, steps_per_second: median(all), spread: [Math.min(...all), Math.max(...all)]};
    if (options.json) console.log(JSON.stringify(line));
    else
      console.log(
        `${name.padEnd(16)} ${threads} threads  ${line.steps_per_second.toFixed(2)} steps/s (${line.spread.map((one) => one.toFixed(2)).join(' to ')})`,
      );
  }
}
