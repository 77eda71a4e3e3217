import {copyFileSync, cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {makeData, RecordBatch, RecordBatchFileWriter, Schema, Struct, tableFromArrays, tableToIPC} from 'apache-arrow';
import {expect, test} from 'vitest';
import {decodeArtifact} from '../../src/artifact/decode.ts';
import {digestOf} from '../../src/base/digest.ts';
import {basin, jsonLines, STACK} from '../cli/basin.ts';
import {ON_BACKEND, PLAIN} from '../cli/study.ts';
import {writable} from '../rig/writable.ts';
import {checkpointFolder, hostileFolder} from './refusal.ts';

const blobsIn = (cwd: string): string[] =>
  readdirSync(join(cwd, 'cache', 'blobs'), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
/** Blobs that are not what their names say. */
const damagedIn = (cwd: string): string[] =>
  blobsIn(cwd).filter((path) => digestOf(readFileSync(path)) !== basename(path, '.arrow'));

/** A folder in which the plain pipeline has run, and the blob of its first weights. */
async function afterRun(): Promise<{cwd: string; blob: string}> {
  const cwd = hostileFolder();
  writeFileSync(join(cwd, 'plain.yaml'), PLAIN);
  expect(await basin(['run', 'plain.yaml'], {cwd})).toMatchObject({code: 0});
  const out = join(cwd, 'first.arrow');
  await basin(['show', 'plain.yaml', 'start.weights', '--format', 'arrow', '--output', out], {cwd});
  const name = digestOf(readFileSync(out));
  return {cwd, blob: blobsIn(cwd).find((path) => path.includes(name)) ?? 'none'};
}
const changed = PLAIN.replace('labels: 3', 'labels: 5');

test.each<readonly [what: string, damage: (blob: string, cwd: string) => void]>([
  ['cut short', (blob) => truncateSync(writable(blob), 100)],
  ['noise of its own length', (blob) => writeFileSync(writable(blob), Buffer.alloc(readFileSync(blob).length, 7))],
  [
    'an Arrow file of somebody else',
    (blob) => writeFileSync(writable(blob), tableToIPC(tableFromArrays({loss: [1]}), 'file')),
  ],
  [
    'another artifact of the store',
    (blob, cwd) => copyFileSync(blobsIn(cwd).find((path) => path !== blob) ?? '', blob),
  ],
])('weights in the store that are %s are never used, said to be damaged, and made anew', async (_, damage) => {
  const {cwd, blob} = await afterRun();
  const whole = readFileSync(blob);
  damage(blob, cwd);
  const shown = await basin(['show', 'plain.yaml', 'start.weights'], {cwd});
  expect(shown).toMatchObject({code: 1, stdout: ''});
  expect(shown.stderr.replace(/\S*\/bin\//, '')).toBe(
    'not-stored: start.weights is damaged in the store.\nTo compute it again: basin run plain.yaml --target start.weights\n',
  );
  writeFileSync(join(cwd, 'plain.yaml'), changed);
  const run = await basin(['run', 'plain.yaml', '--json'], {cwd});
  expect(run.code).toBe(0);
  expect(run.stdout).not.toMatch(STACK);
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({event: 'run-finished', ran: 2, failed: 0});
  expect(readFileSync(blob)).toEqual(whole);
  expect(damagedIn(cwd)).toEqual([]);
});

test('an Arrow file without columns that claims millions of rows is damaged, and makes none of them', () => {
  const rows = 50_000_000;
  const schema = new Schema(
    [],
    new Map([
      ['basin.format', '1'],
      ['basin.kind', 'summary'],
    ]),
  );
  const writer = new RecordBatchFileWriter();
  writer.reset(undefined, schema);
  writer.write(new RecordBatch(schema, makeData({type: new Struct([]), length: rows, nullCount: 0, children: []})));
  writer.finish();
  const file = writer.toUint8Array(true);
  expect(() => decodeArtifact('summary', file, 'x.arrow')).toThrow(
    'x.arrow is damaged: it is not a whole Arrow file of basin.',
  );
});

test('a bad checkpoint and a bad batch fail alone, with exit code 1; what ran before stays and the store is whole', async () => {
  const cwd = hostileFolder();
  cpSync(checkpointFolder(), join(cwd, 'vit'), {recursive: true});
  truncateSync(join(cwd, 'vit', 'model.safetensors'), 20_000);
  for (const name of ['data_batch_1.bin', 'test_batch.bin']) writeFileSync(join(cwd, name), Buffer.alloc(3074));
  const data = '{name: cifar10, root: .}';
  const text = `${PLAIN}  bad: {uses: pretrain-load, with: {source: ./vit, labels: 3}}
  colour: {uses: pretrain-load, with: {source: random, model: {model: mlp, image_size: 32, num_channels: 3, hidden: []}}}
  evaluate: {uses: evaluate, in: {weights: colour.weights}, with: {data: ${data}}}
`;
  writeFileSync(join(cwd, 'plain.yaml'), text);
  const run = await basin(['run', 'plain.yaml', '--keep-going', ...ON_BACKEND], {cwd});
  expect(run).toMatchObject({code: 1, stderr: ''});
  expect(run.stdout).not.toMatch(STACK);
  expect(run.stdout).toContain(
    'model.safetensors cannot be read as safetensors: tensor "vit.embeddings.position_embeddings" ends at byte 24040, but there are only 13992 bytes of data.',
  );
  expect(run.stdout).toContain('data_batch_1.bin has 3074 bytes, which is not a whole number of 3073-byte records.');
  expect(run.stdout).toContain('ran 3, cached 0, failed 2');
  expect(damagedIn(cwd)).toEqual([]);
  const plan = await basin(['plan', 'plain.yaml', '--json', ...ON_BACKEND], {cwd});
  expect(plan.code).toBe(0);
  const verdicts = JSON.parse(plan.stdout).instances.map(
    ({id, verdict}: {id: string; verdict: string}) => `${id} ${verdict}`,
  );
  expect(verdicts.sort()).toEqual(['again cached', 'bad run', 'colour cached', 'evaluate run', 'start cached']);
});

test('an index that leads outside is unresolved in plan, which succeeds, and fails a run', async () => {
  const cwd = hostileFolder();
  cpSync(checkpointFolder(), join(cwd, 'vit'), {recursive: true});
  writeFileSync(join(cwd, 'vit', 'model.safetensors.index.json'), '{"weight_map": {"a": "../../x.safetensors"}}');
  rmSync(join(cwd, 'vit', 'model.safetensors'));
  writeFileSync(join(cwd, 'p.yaml'), 'stages:\n  bad: {uses: pretrain-load, with: {source: ./vit, labels: 3}}\n');
  const plan = await basin(['plan', 'p.yaml'], {cwd});
  expect(plan).toMatchObject({code: 0, stderr: ''});
  const run = await basin(['run', 'p.yaml'], {cwd});
  expect(run).toMatchObject({code: 1, stderr: ''});
  const told =
    './vit: model.safetensors.index.json places tensor "a" in "../../x.safetensors", which is not a safetensors file beside it.';
  for (const {stdout} of [plan, run]) {
    expect(stdout.replace(/\s+/g, ' ')).toContain(told);
    expect(stdout).not.toMatch(STACK);
  }
});
