import {appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {plan, type RunEvent, run} from '../../src/index.ts';
import {BACKEND, basin, scratchFolder} from '../cli/basin.ts';
import {runJson} from '../cli/run-study.ts';

const FIXTURE = join(import.meta.dirname, '../fixtures/hf-vit/p4-32');

const DATA_SET = `import {defineDataSet, z} from 'lossbasin';
export default defineDataSet({
  doc: 'Bytes.', settings: z.strictObject({}), files: () => ['.'],
  async load({read}) {
    const values = await read('test.bin');
    const split = {channels: 1, height: 4, width: 4, values, labels: Int32Array.of(0, 1)};
    return {classes: 2, train: split, test: split};
  },
});
`;

const READER = `import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: 'reader', doc: 'Reads.', params: z.strictObject({file: z.string()}), inputs: {after: {kind: 'weights', doc: 'W.'}}, computes: 'plain',
  outputs: {summary: {kind: 'summary', doc: 'What it says.', columns: {text: 'utf8'}}},
  sources: {
    file: async (value, {folder, digestOfFile}) => {
      const path = resolve(folder, String(value));
      return {state: 'resolved', identity: await digestOfFile(path), located: path};
    },
  },
  run: async ({params}) => ({summary: [{text: readFileSync(params.file, 'utf8')}]}),
});
`;

/** Changes files and passes its weights on. */
const EDITOR = `import {rmSync, writeFileSync} from 'node:fs';
import {defineStage, z} from 'lossbasin';
const weights = {kind: 'weights', doc: 'W.'};
export default defineStage({
  name: 'editor', doc: 'Edits.', inputs: {weights}, outputs: {weights}, computes: 'plain',
  params: z.strictObject({files: z.record(z.string(), z.string().nullable())}),
  run: async ({params, inputs}) => {
    for (const [path, text] of Object.entries(params.files)) text === null ? rmSync(path) : writeFileSync(path, text);
    return inputs;
  },
});
`;

const CHECKPOINTS = ['as-it-was', 'weights', 'config', 'added', 'removed'] as const;

/** Of one network, but no two of one content. */
function writeCheckpoints(cwd: string): void {
  for (const [at, name] of CHECKPOINTS.entries()) {
    mkdirSync(join(cwd, name));
    for (const file of ['config.json', 'model.safetensors']) cpSync(join(FIXTURE, file), join(cwd, name, file));
    appendFileSync(join(cwd, name, 'config.json'), ' '.repeat(at));
  }
  writeFileSync(join(cwd, 'removed', 'preprocessor_config.json'), '{"size": 32}');
}

function changeCheckpoints(cwd: string): void {
  const path = join(cwd, 'weights', 'model.safetensors');
  const bytes = readFileSync(path);
  bytes[bytes.length - 4] = (bytes.at(-4) ?? 0) ^ 1;
  writeFileSync(path, bytes);
  appendFileSync(join(cwd, 'config', 'config.json'), '\n');
  writeFileSync(join(cwd, 'added', 'preprocessor_config.json'), '{"size": 32}');
  rmSync(join(cwd, 'removed', 'preprocessor_config.json'));
}

test('a checkpoint that changes between the plan and the reading fails what reads it, and nothing of it is stored', async () => {
  const cwd = await scratchFolder();
  writeCheckpoints(cwd);
  const file = join(cwd, 'p.yaml');
  const nodes = CHECKPOINTS.map((name) => `  ${name}: {uses: pretrain-load, with: {source: ./${name}}}\n`);
  writeFileSync(file, `stages:\n${nodes.join('')}`);
  const options = {cache: join(cwd, 'cache')};
  const failures: Record<string, string> = {};
  const onEvent = (event: RunEvent): void => {
    if (event.event === 'run-started') changeCheckpoints(cwd);
    if (event.event === 'instance-finished' && event.failure) failures[event.id] = event.failure.message;
  };
  const report = await run(file, {...options, jobs: 1, onFailure: 'keep-going', onEvent});
  expect(failures).toEqual({
    weights: `The file ${join(cwd, 'weights', 'model.safetensors')} changed while the pipeline ran.`,
    config: `The file ${join(cwd, 'config', 'config.json')} changed while the pipeline ran.`,
    added: `The file ${join(cwd, 'added', 'preprocessor_config.json')} came while the pipeline ran, and is in no key.`,
    removed: `The file ${join(cwd, 'removed', 'preprocessor_config.json')} was removed while the pipeline ran.`,
  });
  expect(report).toMatchObject({ran: 1, failed: 4});
  const planned = await plan(file, options);
  expect(planned.filter(({verdict}) => verdict === 'cached').map(({id}) => id)).toEqual(['as-it-was']);
  expect(await run(file, options)).toMatchObject({ran: 4, cached: 1, failed: 0});
});

const DATA_SETS = ['changed', 'more', 'fewer'] as const;
const MODEL = '{model: mlp, image_size: 4, num_channels: 1, hidden: [2], labels: 2}';

function writeDataSets(cwd: string): void {
  for (const [at, name] of DATA_SETS.entries()) {
    mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, name, 'test.bin'), `${at}`.repeat(32));
  }
  writeFileSync(join(cwd, 'fewer', 'more.txt'), 'more');
  mkdirSync(join(cwd, 'batches'));
  for (const name of ['data_batch_1.bin', 'test_batch.bin']) writeFileSync(join(cwd, 'batches', name), name);
  writeFileSync(join(cwd, 'bytes.ts'), DATA_SET);
  writeFileSync(join(cwd, 'reader.ts'), READER);
  writeFileSync(join(cwd, 'editor.ts'), EDITOR);
  writeFileSync(join(cwd, 'own.txt'), 'before');
  const changes = {
    [join(cwd, 'changed', 'test.bin')]: '9'.repeat(32),
    [join(cwd, 'more', 'more.txt')]: 'more',
    [join(cwd, 'fewer', 'more.txt')]: null,
    [join(cwd, 'batches', 'data_batch_2.bin')]: 'data_batch_2.bin',
    [join(cwd, 'own.txt')]: 'after!',
  };
  const evaluated = (data: string): string => `{uses: evaluate, in: {weights: edited.weights}, with: {data: ${data}}}`;
  const nodes = DATA_SETS.map((name) => `  ${name}: ${evaluated(`{name: ./bytes.ts, root: ${name}}`)}\n`);
  writeFileSync(
    join(cwd, 'p.yaml'),
    `stages:
  start: {uses: pretrain-load, with: {source: random, model: ${MODEL}}}
  edited: {uses: ./editor.ts, in: {weights: start.weights}, with: {files: ${JSON.stringify(changes)}}}
  batches: ${evaluated('{name: cifar10, root: batches}')}
  own: {uses: ./reader.ts, in: {after: edited.weights}, with: {file: ./own.txt}}
${nodes.join('')}`,
  );
}

test('data that changes between the plan and the reading fails what reads it, and nothing of it is stored', async () => {
  const cwd = await scratchFolder();
  writeDataSets(cwd);
  const options = ['--backend', BACKEND, '--jobs', '1'];
  const {stdout} = await basin(['run', 'p.yaml', '--json', '--keep-going', ...options], {cwd});
  const events: readonly RunEvent[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const failures = events.flatMap((event) =>
    event.event === 'instance-finished' && event.failure ? [[event.id, event.failure.message]] : [],
  );
  expect(Object.fromEntries(failures)).toEqual({
    changed: `The file ${join(cwd, 'changed', 'test.bin')} changed while the pipeline ran.`,
    more: `The file ${join(cwd, 'more', 'more.txt')} came while the pipeline ran, and is in no key.`,
    fewer: `The file ${join(cwd, 'fewer', 'more.txt')} was removed while the pipeline ran.`,
    batches: `The file ${join(cwd, 'batches', 'data_batch_2.bin')} came while the pipeline ran, and is in no key.`,
    own: `The file ${join(cwd, 'own.txt')} changed while the pipeline ran.`,
  });
  const again = await runJson(['p.yaml', '--target', 'own', '--target', 'changed', ...options], {cwd});
  expect(again.ids('ran')).toEqual(['changed', 'own']);
  const shown = await basin(['show', 'p.yaml', 'own.summary', '--format', 'json'], {cwd});
  expect(JSON.parse(shown.stdout)).toEqual([{text: 'after!'}]);
}, 60_000);
