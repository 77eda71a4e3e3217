import {availableParallelism} from 'node:os';
import {augmentSchema} from '../stages/lib/pictures/augment-schema.ts';
import {batchBuffer, fillBatch} from '../stages/lib/pictures/batch.ts';
import {bindPreprocessor} from '../stages/lib/pictures/preprocessor.ts';
import {readOptions} from './options.ts';
import {median} from './result.ts';
import {STUDY, smoothColours} from './study.ts';

/**
 * Pictures a second of one core through augmentation and preprocessing:
 *
 *     bin/basin-node bench/pictures.ts [--rounds N] [--json]
 *
 * Cases take turns in every round. A rate is by processor time, which a busy machine disturbs less than wall-clock time does.
 */
const {values: options} = readOptions(import.meta.filename, {
  options: {rounds: {type: 'string', default: '7'}, json: {type: 'boolean', default: false}},
});

const N = 2000;
const BATCH = 50;
const SIDE = 32;

const CASES = [
  {name: 'the whole augmentation of cifar10-lmc', augment: STUDY, size: SIDE},
  {name: 'crop 24 to 32 and flip', augment: STUDY.slice(0, 2), size: SIDE},
  {name: 'jitter', augment: STUDY.slice(2), size: SIDE},
  {
    name: 'random crop with a border, flip',
    augment: [{'random-crop': {size: SIDE, padding: 4}}, {flip: true}],
    size: SIDE,
  },
  {name: 'random resized crop, flip', augment: [{'random-resized-crop': {size: SIDE}}, {flip: true}], size: SIDE},
  {name: 'none', augment: [], size: SIDE},
  {name: 'the whole, to 224 pixels', augment: STUDY, size: 224},
  {name: 'none, to 224 pixels', augment: [], size: 224},
] as const;

const pictures = smoothColours(N, SIDE);
const cases = CASES.map(({name, augment, size}) => {
  const preprocessing = bindPreprocessor({}, {channels: 3, imageSize: size}, pictures);
  return {
    name,
    preprocessing,
    buffer: batchBuffer(preprocessing, BATCH),
    // as long as the others take
    n: size === SIDE ? N : N / 20,
    augment: augmentSchema.parse(augment),
    rates: [] as number[],
  };
});

for (let round = 0; round <= Number(options.rounds); round++) {
  for (const {augment, preprocessing, buffer, n, rates} of cases) {
    const before = process.threadCpuUsage();
    for (let start = 0; start < n; start += BATCH) {
      const indices = Array.from({length: BATCH}, (_, place) => start + place);
      fillBatch(buffer, pictures, indices, preprocessing, {augment, seed: 1, epoch: round});
    }
    const {user, system} = process.threadCpuUsage(before);
    if (round > 0) rates.push((n / (user + system)) * 1e6); // the first round is the compiler's
  }
}

for (const {name, rates} of cases) {
  const perSecond = Math.round(median(rates));
  const spread = [Math.round(Math.min(...rates)), Math.round(Math.max(...rates))] as const;
  if (options.json) console.log(JSON.stringify({case: name, pictures_per_core_second: perSecond, spread}));
  else console.log(`${name.padEnd(40)} ${perSecond} pictures/s/core (${spread[0]} to ${spread[1]})`);
}
if (!options.json) console.log(`${options.rounds} rounds, ${availableParallelism()} cores`);
