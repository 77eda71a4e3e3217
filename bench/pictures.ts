import {availableParallelism} from 'node:os';
import {parseArgs} from 'node:util';
import type {Pictures} from '../stages/lib/data/pictures.ts';
import {augmentSchema} from '../stages/lib/pictures/augment-schema.ts';
import {batchBuffer, fillBatch} from '../stages/lib/pictures/batch.ts';
import {bindPreprocessor} from '../stages/lib/pictures/preprocessor.ts';

/**
 * Pictures a second of one core through augmentation and preprocessing:
 *
 *     bin/basin-node bench/pictures.ts [--rounds N] [--json]
 *
 * Cases take turns in every round. A rate is by processor time, which a busy machine disturbs less than wall-clock time does.
 */
const {values: options} = parseArgs({
  options: {rounds: {type: 'string', default: '7'}, json: {type: 'boolean', default: false}},
});

const N = 2000;
const BATCH = 50;
const SIDE = 32;

/** Smooth colours with some grain, so that hues and edges vary as in photographs. */
function colours(): Pictures {
  const values = Uint8Array.from({length: N * 3 * SIDE * SIDE}, (_, place) => {
    const [x, y, picture] = [
      place % SIDE,
      Math.floor(place / SIDE) % (3 * SIDE),
      Math.floor(place / (3 * SIDE * SIDE)),
    ];
    return 128 + 90 * Math.sin((x * (picture % 7) + y * (picture % 5) + picture) / 20) + ((place * 7919) % 23);
  });
  return {n: N, channels: 3, height: SIDE, width: SIDE, values, labels: new Int32Array(N)};
}

const STUDY = [
  {crop: 24, resize: SIDE},
  {flip: true},
  {jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}},
];

const CASES = [
  {name: 'the whole augmentation of cifar10-lmc', augment: STUDY},
  {name: 'crop 24 to 32 and flip', augment: STUDY.slice(0, 2)},
  {name: 'jitter', augment: STUDY.slice(2)},
  {name: 'none', augment: []},
] as const;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const pictures = colours();
const preprocessing = bindPreprocessor({}, {channels: 3, imageSize: SIDE}, pictures);
const buffer = batchBuffer(preprocessing, BATCH);
const cases = CASES.map(({name, augment}) => ({name, augment: augmentSchema.parse(augment), rates: [] as number[]}));

for (let round = 0; round <= Number(options.rounds); round++) {
  for (const {augment, rates} of cases) {
    const before = process.threadCpuUsage();
    for (let start = 0; start < N; start += BATCH) {
      const indices = Array.from({length: BATCH}, (_, place) => start + place);
      fillBatch(buffer, pictures, indices, preprocessing, {augment, seed: 1, epoch: round});
    }
    const {user, system} = process.threadCpuUsage(before);
    if (round > 0) rates.push((N / (user + system)) * 1e6); // the first round is the compiler's
  }
}

for (const {name, rates} of cases) {
  const perSecond = Math.round(median(rates));
  const spread = [Math.round(Math.min(...rates)), Math.round(Math.max(...rates))] as const;
  if (options.json) console.log(JSON.stringify({case: name, pictures_per_core_second: perSecond, spread}));
  else console.log(`${name.padEnd(40)} ${perSecond} pictures/s/core (${spread[0]} to ${spread[1]})`);
}
if (!options.json) console.log(`${SIDE} pixels, ${options.rounds} rounds, ${availableParallelism()} cores`);
