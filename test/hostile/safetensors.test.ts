import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import stage from '../../stages/pretrain-load.ts';
import {safetensorsFile} from '../rig/safetensors.ts';
import {checkpointFolder, told} from './refusal.ts';

const NONE = Buffer.alloc(0);
const entry = (dtype: unknown, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const F32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4]) => entry('F32', shape, begin, end);
/** The file with a header of these tensors over this many bytes of data. */
const of = (header: unknown, bytes: number) => safetensorsFile(JSON.stringify(header), Buffer.alloc(bytes));
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const WHOLE = 'The file is damaged or not complete; fetch it again and compare its size and SHA-256 with the source.';
const AGAIN = 'The file is damaged or not what its name says; fetch the checkpoint again.';
const headerRefused = (reason: string) => `The header of model.safetensors ${reason}.\n${AGAIN}`;
const refused = (reason: string) => `model.safetensors cannot be read as safetensors: ${reason}.\n${WHOLE}`;

const HOSTILE: readonly (readonly [what: string, content: Buffer, told: string])[] = [
  ['an empty file', NONE, refused('it is 0 bytes long, too short for a header')],
  ['a file cut inside its length', Buffer.alloc(7), refused('it is 7 bytes long, too short for a header')],
  [
    'a header longer than the file',
    safetensorsFile('{}', NONE, 2 ** 40),
    refused('its header claims 1099511627776 bytes, but only 2 follow'),
  ],
  [
    'a header longer than any number of bytes',
    Buffer.from('ffffffffffffffff7b7d', 'hex'),
    refused('its header claims 18446744073709551615 bytes, but only 2 follow'),
  ],
  [
    'a header of 50 MB',
    safetensorsFile(`{}${' '.repeat(50_000_000)}`, NONE),
    refused('its header claims 50000002 bytes, and basin reads headers of up to 16777216'),
  ],
  [
    'a header that is no JSON',
    safetensorsFile('{"a": \u001b[31m}', NONE),
    headerRefused('is not JSON: it does not read as JSON at all'),
  ],
  ['a header cut short', safetensorsFile('{"a"', NONE), headerRefused('is not JSON: it breaks at position 4')],
  ['a header of nothing', safetensorsFile('', NONE), headerRefused('is not JSON: it ends too early')],
  ['a header that is a list', safetensorsFile('[]', NONE), headerRefused('is not a JSON object')],
  ['a header that is null', safetensorsFile('null', NONE), headerRefused('is not a JSON object')],
  ['a header that is not UTF-8', Buffer.from('0200000000000000fffe', 'hex'), refused('its header is not UTF-8 text')],
  [
    'a header nested 20,000 deep',
    safetensorsFile(`{"a":${nested(20_000)}}`, NONE),
    headerRefused('is nested more than 100 levels deep'),
  ],
  [
    'a header that only opens, 1,000,000 deep',
    safetensorsFile('['.repeat(1_000_000), NONE),
    headerRefused('is nested more than 100 levels deep'),
  ],
  [
    'a name given twice',
    safetensorsFile(`{"a":${JSON.stringify(F32(0, 4))},"\\u0061":${JSON.stringify(F32(4, 8))}}`, Buffer.alloc(8)),
    headerRefused('has the name "a" twice in one object'),
  ],
  [
    'offsets out of range',
    of({a: F32(0, 4), b: F32(4, 400)}, 8),
    refused('tensor "b" ends at byte 400, but there are only 8 bytes of data'),
  ],
  [
    'offsets of terabytes',
    of({a: F32(0, 2 ** 42)}, 8),
    refused('tensor "a" ends at byte 4398046511104, but there are only 8 bytes of data'),
  ],
  [
    'offsets that overlap',
    of({a: F32(0, 8), b: F32(4, 8)}, 8),
    refused('tensor "b" overlaps the one before it at byte 4'),
  ],
  [
    'two tensors over the same bytes',
    of({a: F32(0, 8), b: F32(0, 8)}, 8),
    refused('tensor "b" overlaps the one before it at byte 0'),
  ],
  [
    'offsets that leave a hole',
    of({a: F32(0, 4), b: F32(8, 12)}, 12),
    refused('bytes 4 to 8 before tensor "b" belong to no tensor'),
  ],
  ['offsets that descend', of({a: F32(8, 4, [1])}, 8), refused('tensor "a" has no pair of ascending data_offsets')],
  ['offsets that are negative', of({a: F32(-4, 0)}, 8), refused('tensor "a" has no pair of ascending data_offsets')],
  [
    'offsets that are no numbers',
    of(
      {
        a: entry('F32', [1], '0', '4'),
      },
      4,
    ),
    refused('tensor "a" has no pair of ascending data_offsets'),
  ],
  [
    'three offsets',
    of(
      {
        a: {
          dtype: 'F32',
          shape: [1],
          data_offsets: [0, 4, 8],
        },
      },
      8,
    ),
    refused('tensor "a" has no pair of ascending data_offsets'),
  ],
  ['bytes after the last tensor', of({a: F32(0, 4)}, 9), refused('the last 5 bytes belong to no tensor')],
  [
    'bytes cut off the last tensor',
    of({a: F32(0, 400)}, 396),
    refused('tensor "a" ends at byte 400, but there are only 396 bytes of data'),
  ],
  [
    'a shape too small for its bytes',
    of({a: F32(0, 8, [1])}, 8),
    refused('tensor "a" of shape [1] and dtype F32 needs 4 bytes but is given 8'),
  ],
  ['a negative side', of({a: F32(0, 4, [-1, -1])}, 4), refused('tensor "a" has no shape of whole numbers')],
  [
    'a side of minus zero',
    safetensorsFile('{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', NONE),
    refused('tensor "a" has no shape of whole numbers'),
  ],
  ['a side of 2^53', of({a: F32(0, 4, [2 ** 53])}, 4), refused('tensor "a" has no shape of whole numbers')],
  [
    'a side that is no whole number',
    of({a: F32(0, 4, [0.5, 2])}, 4),
    refused('tensor "a" has no shape of whole numbers'),
  ],
  [
    'a shape whose product overflows 64 bits to its size',
    of({a: F32(0, 4, [2 ** 32, 2 ** 32, 1])}, 4),
    refused(
      `tensor "a" of shape [4294967296,4294967296,1] and dtype F32 needs 73786976294838210000 bytes but is given 4`,
    ),
  ],
  [
    'a shape whose product is no number',
    of({a: F32(0, 4, Array(100).fill(2 ** 50))}, 4),
    refused(
      `tensor "a" of shape [1125899906842624,1125899906842624,1125899906842624,1125899906842624,1125899906842624,1125899906842624,1125899906842624,1125899906842624,…] (100 sides) and dtype F32 needs Infinity bytes but is given 4`,
    ),
  ],
  [
    'a shape of a million sides',
    of({a: F32(0, 8, Array(1_000_000).fill(1))}, 8),
    refused('tensor "a" of shape [1,1,1,1,1,1,1,1,…] (1000000 sides) and dtype F32 needs 4 bytes but is given 8'),
  ],
  [
    'no shape',
    of(
      {
        a: {
          dtype: 'F32',
          data_offsets: [0, 4],
        },
      },
      4,
    ),
    refused('tensor "a" has no shape of whole numbers'),
  ],
  ['no dtype', of({a: {shape: [1], data_offsets: [0, 4]}}, 4), refused('tensor "a" has no dtype')],
  [
    'integers',
    of({a: entry('I64', [1], 0, 8)}, 8),
    `model.safetensors cannot be read as safetensors: tensor "a" is stored as I64, and only F32, F16, BF16 can be read.\nSave the checkpoint again in one of these, with save_pretrained(folder).`,
  ],
  [
    'a dtype that nobody knows',
    of(
      {
        a: entry('F8_E5M2', [1], 0, 4),
      },
      4,
    ),
    `model.safetensors cannot be read as safetensors: tensor "a" is stored as F8_E5M2, and only F32, F16, BF16 can be read.\nSave the checkpoint again in one of these, with save_pretrained(folder).`,
  ],
  [
    'a dtype named like a property of every object',
    of({a: entry('__proto__', [1], 0, 4)}, 4),
    `model.safetensors cannot be read as safetensors: tensor "a" is stored as __proto__, and only F32, F16, BF16 can be read.\nSave the checkpoint again in one of these, with save_pretrained(folder).`,
  ],
  [
    'a dtype that would colour a terminal, of 5 MB',
    of({a: entry(`\u001b[31m${'x'.repeat(5_000_000)}`, [1], 0, 4)}, 4),
    `model.safetensors cannot be read as safetensors: tensor "a" is stored as "\\u001b[31m${'x'.repeat(115)}…", and only F32, F16, BF16 can be read.\nSave the checkpoint again in one of these, with save_pretrained(folder).`,
  ],
  [
    'a tensor named __proto__',
    safetensorsFile('{"__proto__":7}', NONE),
    refused('tensor "__proto__" is not described by an object'),
  ],
  [
    'a tensor whose name would colour a terminal',
    of({'\u001b[31m': F32(0, 4)}, 4),
    `model.safetensors holds a tensor named "\\u001b[31m", which no Vision Transformer has.\nChoose a checkpoint as save_pretrained(folder) writes it.`,
  ],
  [
    'a tensor whose name has 5 MB',
    of({['x'.repeat(5_000_000)]: F32(0, 4)}, 4),
    `model.safetensors holds a tensor named "${'x'.repeat(120)}…", which no Vision Transformer has.\nChoose a checkpoint as save_pretrained(folder) writes it.`,
  ],
  [
    'a tensor that no ViT has',
    of({'model.embed_tokens.weight': F32(0, 4)}, 4),
    `The checkpoint FOLDER has no classifier of its own.\nGive \`labels\` for a fresh one.`,
  ],
  [
    'a pickle of PyTorch',
    Buffer.from('504b0304000008080000000000000000', 'hex'),
    refused('its header claims 578712552184433488 bytes, but only 8 follow'),
  ],
  [
    'a Git LFS pointer',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 343223968\n'),
    `model.safetensors cannot be read as safetensors: it is the pointer of Git LFS and not the file itself.\nFetch the file with \`git lfs pull\`.`,
  ],
];

test.each(HOSTILE)('model.safetensors with %s is refused with what to do', async (_, content, expected) => {
  const folder = checkpointFolder();
  writeFileSync(join(folder, 'model.safetensors'), content);
  expect(await told(stage, {source: folder}, folder)).toBe(expected);
});

test('the good file of the fixture is taken', async () => {
  const folder = checkpointFolder();
  expect(await told(stage, {source: folder}, folder)).toBe('taken as good');
});

test('a header that claims what memory could hold allocates nothing of it', async () => {
  const folder = checkpointFolder();
  for (const content of [
    of({a: F32(0, 2 ** 30)}, 8),
    safetensorsFile('{}', NONE, 2 ** 30),
    of({a: F32(0, 8, [2 ** 28])}, 8),
  ]) {
    writeFileSync(join(folder, 'model.safetensors'), content);
    const before = process.memoryUsage().arrayBuffers;
    expect(await told(stage, {source: folder}, folder)).toContain('cannot be read as safetensors');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  }
});
