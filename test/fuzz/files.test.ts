import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {decodeArtifact} from '../../src/artifact/decode.ts';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import type {ArrowKind} from '../../src/artifact/kinds.ts';
import {UserError} from '../../src/base/user-error.ts';
import {readSafetensors} from '../../stages/lib/checkpoint/safetensors.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {drawsOf, mutateBytes} from './mutate.ts';

const runs = process.env.BASIN_ALL ? 50_000 : 1500;
const folder = mkdtempSync(join(tmpdir(), 'basin-fuzz-'));
afterAll(() => rmSync(folder, {recursive: true}));

const model = bindModel({model: 'mlp', image_size: 4, hidden: [3], labels: 2});
const tensors = initialise(model, 1);
const files: readonly (readonly [ArrowKind, Uint8Array])[] = [
  ['weights', encodeArtifact({kind: 'weights'}, {model: model.config, preprocessor: {}, tensors})],
  [
    'mask',
    encodeArtifact(
      {kind: 'mask'},
      {
        tensors: tensors.map(({name, shape, values}) => ({
          name,
          shape,
          bits: Uint8Array.from(values, (x) => Number(x > 0)),
        })),
      },
    ),
  ],
  ['points', encodeArtifact({kind: 'points'}, [{split: 'test', loss: 0.5, error: 10, accuracy: 90, n: 100}])],
  [
    'summary',
    encodeArtifact({kind: 'summary', columns: {name: 'utf8', value: 'float64', count: 'int32'}}, [
      {name: 'a', value: 1, count: 2},
      {name: 'b', value: -1, count: 3},
    ]),
  ],
];

/** Whether it was read; anything but a value or words for a person is a defect. */
async function isRead(bytes: Uint8Array, read: () => unknown): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof UserError && error.message !== '') return false;
    throw new Error(`Threw on ${Buffer.from(bytes).toString('base64')}`, {cause: error});
  }
}

test(`${runs} mutated Arrow files are read or refused, without an exception or much memory`, {timeout: 0}, async () => {
  const draw = drawsOf(20_261_125);
  let refused = 0;
  for (let run = 0; run < runs; run++) {
    const [kind, bytes] = files[draw(files.length)] ?? ['points', new Uint8Array()];
    const mutated = mutateBytes(bytes, draw);
    if (!(await isRead(mutated, () => decodeArtifact(kind, mutated, 'x.arrow')))) refused++;
  }
  expect(refused).toBeGreaterThan(runs / 4);
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 30);
});

test(`${runs} mutated safetensors files are read or refused, without an exception or much memory`, {
  timeout: 0,
}, async () => {
  const draw = drawsOf(5);
  const header = JSON.stringify({
    'a.weight': {dtype: 'F32', shape: [2, 3], data_offsets: [0, 24]},
    'b.bias': {dtype: 'F16', shape: [4], data_offsets: [24, 32]},
    'c.bias': {dtype: 'BF16', shape: [2, 1], data_offsets: [32, 36]},
    __metadata__: {format: 'pt'},
  });
  const whole = new Uint8Array(8 + header.length + 36).fill(1);
  new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
  whole.set(new TextEncoder().encode(header), 8);
  const path = join(folder, 'model.safetensors');
  let refused = 0;
  for (let run = 0; run < runs; run++) {
    const mutated = mutateBytes(whole, draw);
    writeFileSync(path, mutated);
    if (!(await isRead(mutated, () => readSafetensors(path)))) refused++;
  }
  expect(refused).toBeGreaterThan(runs / 4);
  expect(process.memoryUsage().rss).toBeLessThan(2 ** 30);
});
