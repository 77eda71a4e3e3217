import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, test} from 'vitest';
import {readSafetensors} from '../../stages/lib/checkpoint/safetensors.ts';
import {safetensorsFile, trustedTensors} from '../rig/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-safetensors-'));
afterAll(() => rmSync(folder, {recursive: true}));

const file = (content: Uint8Array): string => {
  const path = join(folder, 'x.safetensors');
  writeFileSync(path, content);
  return path;
};
const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

test('a file that transformers wrote is read to the last bit', async () => {
  const url = new URL('../fixtures/hf-vit/p4-32/model.safetensors', import.meta.url);
  const tensors = await readSafetensors(fileURLToPath(url));
  const trusted = trustedTensors(url);
  expect(Object.fromEntries(tensors.map(({name, shape, values}) => [name, {shape, values}]))).toEqual(trusted);
});

test('F16 and BF16 become the float32 of the same value', async () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555, 0x03ff, 0x0400);
  const brain = Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x0001);
  const data = Buffer.concat([Buffer.from(halves.buffer), Buffer.from(brain.buffer)]);
  const header = JSON.stringify({h: entry('F16', [8], 0, 16), b: entry('BF16', [2, 2], 16, 24)});
  const [h, b] = await readSafetensors(file(safetensorsFile(header, data)));
  expect([...(h?.values ?? [])]).toEqual([1, -2, 2 ** -24, 65504, -0, 0.333251953125, 1023 * 2 ** -24, 2 ** -14]);
  expect([...(b?.values ?? [])]).toEqual([1, -2, 3.140625, 2 ** -133]);
  expect(b?.shape).toEqual([2, 2]);
});

test('scalars and empty tensors, padding spaces after the header and metadata are read', async () => {
  const header = `${JSON.stringify({__metadata__: {format: 'pt'}, e: entry('F32', [0, 3], 4, 4), s: entry('F32', [], 0, 4)})}   `;
  const tensors = await readSafetensors(file(safetensorsFile(header, Buffer.from(Float32Array.of(7).buffer))));
  expect(tensors).toEqual([
    {name: 's', shape: [], values: Float32Array.of(7)},
    {name: 'e', shape: [0, 3], values: new Float32Array()},
  ]);
});

const F32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4]) => entry('F32', shape, begin, end);
const json = (value: unknown) => JSON.stringify(value);
const prefix = 'x.safetensors cannot be read as safetensors: ';

const HOSTILE: readonly [what: string, content: Uint8Array, message: string][] = [
  ['an empty file', Buffer.alloc(0), `${prefix}it is 0 bytes long, too short for a header.`],
  [
    'a header longer than the file',
    safetensorsFile('{}', Buffer.alloc(0), 2 ** 50),
    `${prefix}its header claims 1125899906842624 bytes, but only 2 follow.`,
  ],
  ['a header cut short', safetensorsFile('{"a"', Buffer.alloc(0)), 'The header of x.safetensors is not JSON: '],
  [
    'a header that is a list',
    safetensorsFile('[]', Buffer.alloc(0)),
    'The header of x.safetensors is not a JSON object.',
  ],
  [
    'a header that is not UTF-8',
    Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff, 0xfe])]),
    `${prefix}its header is not UTF-8 text.`,
  ],
  [
    'a name given twice',
    safetensorsFile(`{"a":${json(F32(0, 4))},"\\u0061":${json(F32(4, 8))}}`, Buffer.alloc(8)),
    'The header of x.safetensors has the name "a" twice in one object.',
  ],
  [
    'offsets beyond the file',
    safetensorsFile(json({a: F32(0, 4), b: F32(4, 400)}), Buffer.alloc(8)),
    `${prefix}tensor "b" ends at byte 400, but there are only 8 bytes of data.`,
  ],
  [
    'offsets that overlap',
    safetensorsFile(json({a: F32(0, 8), b: F32(4, 8)}), Buffer.alloc(8)),
    `${prefix}tensor "b" overlaps the one before it at byte 4.`,
  ],
  [
    'a hole',
    safetensorsFile(json({a: F32(0, 4), b: F32(8, 12)}), Buffer.alloc(12)),
    `${prefix}bytes 4 to 8 before tensor "b" belong to no tensor.`,
  ],
  [
    'bytes after the last tensor',
    safetensorsFile(json({a: F32(0, 4)}), Buffer.alloc(9)),
    `${prefix}the last 5 bytes belong to no tensor.`,
  ],
  [
    'a shape that needs other bytes',
    safetensorsFile(json({a: F32(0, 4, [2, 3])}), Buffer.alloc(4)),
    `${prefix}tensor "a" of shape [2,3] and dtype F32 needs 24 bytes but is given 4.`,
  ],
  [
    'a shape whose product is no number',
    safetensorsFile(json({a: F32(0, 4, Array(100).fill(2 ** 50))}), Buffer.alloc(4)),
    `needs Infinity bytes but is given 4.`,
  ],
  [
    'a negative extent',
    safetensorsFile(json({a: F32(0, 4, [-1, -1])}), Buffer.alloc(4)),
    `${prefix}tensor "a" has no shape of whole numbers.`,
  ],
  [
    'descending offsets',
    safetensorsFile(json({a: F32(8, 4, [1])}), Buffer.alloc(8)),
    `${prefix}tensor "a" has no pair of ascending data_offsets.`,
  ],
  [
    'a dtype that float32 cannot hold',
    safetensorsFile(json({a: entry('I64', [1], 0, 8)}), Buffer.alloc(8)),
    `${prefix}tensor "a" is stored as I64, and only F32, F16, BF16 can be read.`,
  ],
  [
    'a dtype named like a property of every object',
    safetensorsFile(json({a: entry('constructor', [1], 0, 4)}), Buffer.alloc(4)),
    `${prefix}tensor "a" is stored as constructor`,
  ],
  [
    'a tensor that is no object',
    safetensorsFile('{"__proto__":7}', Buffer.alloc(0)),
    'tensor "__proto__" is not described',
  ],
];

for (const [what, content, message] of HOSTILE) {
  test(`refused with its reason: ${what}`, async () => {
    await expect(readSafetensors(file(content))).rejects.toThrow(expect.objectContaining({name: 'UserError'}));
    await expect(readSafetensors(file(content))).rejects.toThrow(message);
  });
}

test('a name of many megabytes is read, or refused, without running out of stack', async () => {
  const long = `${'\\n'.repeat(4_000_000)}${'a'.repeat(8_000_000)}`;
  const header = `{"b":${json(F32(0, 4))},"${long}":${json(F32(0, 4))}}`;
  await expect(readSafetensors(file(safetensorsFile(header, Buffer.alloc(4))))).rejects.toThrow(/overlaps/);
});

test('a file that is not there is a StageError', async () => {
  await expect(readSafetensors(join(folder, 'none.safetensors'))).rejects.toThrow(/none.safetensors cannot be opened/);
});
