import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {decodeArtifact} from '../../src/artifact/decode.ts';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';
import {someWeights} from './artifact-arbitraries.ts';

const hasPyarrow = spawnSync('python3', ['-c', 'import pyarrow']).status === 0;
if (!hasPyarrow)
  console.info('Skipped: python3 cannot import pyarrow, so no second Arrow implementation reads our files.');

/** Reads a file, checks it in full, prints it as JSON (bytes in hex), and writes it again with pyarrow's own writer. */
const SCRIPT = `
import json, sys
import pyarrow as pa
table = pa.ipc.open_file(sys.argv[1]).read_all()
table.validate(full=True)
with pa.OSFile(sys.argv[2], 'wb') as sink, pa.ipc.new_file(sink, table.schema) as writer:
    for batch in table.to_batches():
        writer.write_batch(batch)
print(json.dumps({
    'schema': [[f.name, str(f.type), f.nullable] for f in table.schema],
    'metadata': {k.decode(): v.decode() for k, v in table.schema.metadata.items()},
    'rows': table.to_pylist(),
}, default=bytes.hex))
`;

async function throughPyarrow(bytes: Uint8Array): Promise<{read: unknown; rewritten: Uint8Array}> {
  const folder = await temporaryFolder();
  const [file, copy] = [join(folder, 'a.arrow'), join(folder, 'b.arrow')];
  writeFileSync(file, bytes);
  const read: unknown = JSON.parse(execFileSync('python3', ['-c', SCRIPT, file, copy], {encoding: 'utf8'}));
  return {read, rewritten: readFileSync(copy)};
}

test.skipIf(!hasPyarrow)('pyarrow reads weights as they are, and we read what it writes', async () => {
  const bytes = encodeArtifact({kind: 'weights'}, someWeights);
  const {read, rewritten} = await throughPyarrow(bytes);
  expect(read).toEqual({
    schema: [
      ['name', 'string', false],
      ['dtype', 'string', false],
      ['shape', 'list<item: int64 not null>', false],
      ['values', 'large_binary', false],
    ],
    metadata: {
      'basin.format': '1',
      'basin.kind': 'weights',
      model: '{"hidden":[3],"model":"mlp"}',
      preprocessor: '{"mean":0.5}',
    },
    rows: [
      {name: 'a', dtype: 'float32', shape: [], values: '0000e040'},
      {name: 'b', dtype: 'float32', shape: [2, 2], values: '0000803f000000c00000003f00000080'},
    ],
  });
  expect(decodeArtifact('weights', rewritten)).toEqual(decodeArtifact('weights', bytes));
});

test.skipIf(!hasPyarrow)('pyarrow reads masks: eight weights a byte, the first in the lowest bit', async () => {
  const bits = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 1);
  const bytes = encodeArtifact({kind: 'mask'}, {tensors: [{name: 'a', shape: [9], bits}]});
  const {read, rewritten} = await throughPyarrow(bytes);
  expect(read).toMatchObject({rows: [{name: 'a', shape: [9], bits: '8101'}]});
  expect(decodeArtifact('mask', rewritten)).toEqual(decodeArtifact('mask', bytes));
});

test.skipIf(!hasPyarrow)('pyarrow reads tables, columns of the kind first', async () => {
  const rows = [
    {split: 'tëst', loss: 0.1 + 0.2, error: 8, accuracy: 92, n: -(2 ** 31), stable: true},
    {split: '', loss: -0, error: 1e308, accuracy: 5e-324, n: 1, stable: false},
  ];
  const bytes = encodeArtifact({kind: 'points', columns: {stable: 'bool'}}, rows);
  const {read, rewritten} = await throughPyarrow(bytes);
  expect(read).toEqual({
    schema: [
      ['split', 'string', false],
      ['loss', 'double', false],
      ['error', 'double', false],
      ['accuracy', 'double', false],
      ['n', 'int32', false],
      ['stable', 'bool', false],
    ],
    metadata: {'basin.format': '1', 'basin.kind': 'points'},
    rows,
  });
  expect(decodeArtifact('points', rewritten)).toEqual(rows);
});
