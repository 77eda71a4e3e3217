import {copyFile, mkdir, rename, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin} from '../cli/basin.ts';
import {runJson} from '../cli/run-study.ts';
import {ON_BACKEND} from '../cli/study.ts';
import {editFile, recipeFolder} from './recipe.ts';

const planned = z.object({instances: z.array(z.object({id: z.string(), verdict: z.string(), reason: z.string()}))});

async function plan(cwd: string): Promise<z.output<typeof planned>['instances']> {
  const {stdout} = await basin(['plan', 'p.yaml', '--json', ...ON_BACKEND], {cwd});
  return planned.parse(JSON.parse(stdout)).instances;
}

const run = (cwd: string) => runJson(['p.yaml', '--jobs', '1', ...ON_BACKEND], {cwd});

/** The same code by its name, by a link and as a copy, in a folder that may not have it under the first name any more. */
async function underThreeNames(cwd: string, file: string): Promise<void> {
  await symlink(file, join(cwd, 'link.ts'));
  await copyFile(join(cwd, file), join(cwd, 'copy.ts'));
}

test('one model under several names is one model, and what it is called is in no key', async () => {
  const cwd = await recipeFolder('Adding a model', 'small-conv.ts');
  await underThreeNames(cwd, 'small-conv.ts');
  const node = (name: string): string =>
    `  ${name}: {uses: pretrain-load, with: {source: random, model: {model: ./${name}.ts, image_size: 28, num_channels: 1, labels: 10}}}`;
  const train = (name: string): string =>
    `  trained-${name}: {uses: finetune, in: {weights: ${name}.weights}, with: {data: {name: mnist, limit: {train: 8, test: 8}, validation: {n: 2}}, length: 1it, lr: 1.0e-2}}`;
  const names = ['small-conv', 'link', 'copy'];
  await writeFile(join(cwd, 'p.yaml'), ['stages:', ...names.map(node), ...names.map(train)].join('\n'));
  const {ids} = await run(cwd);
  expect(ids('ran')).toHaveLength(2);
  expect(ids('cached')).toHaveLength(4);
  await rename(join(cwd, 'copy.ts'), join(cwd, 'other.ts'));
  await editFile(join(cwd, 'p.yaml'), './copy.ts', './other.ts');
  expect((await plan(cwd)).map(({verdict}) => verdict)).toEqual(Array(6).fill('cached'));
  await editFile(join(cwd, 'other.ts'), 'tf.relu(', 'tf.elu(');
  expect((await plan(cwd)).filter(({verdict}) => verdict !== 'cached')).toEqual([
    {id: 'copy', verdict: 'run', reason: 'model.model: the code of other.ts changed'},
    {id: 'trained-copy', verdict: 'run-unless-cut-off', reason: 'copy runs'},
  ]);
}, 60_000);

test('one data set under several names is one data set, and what it is called is in no key', async () => {
  const cwd = await recipeFolder('Adding a data set', 'stripes.ts');
  await mkdir(join(cwd, 'pictures'));
  const pictures = Uint8Array.from({length: 20 * 65}, (_, at) => (at % 65 === 0 ? Math.floor(at / 65) % 2 : at % 251));
  for (const name of ['train.bin', 'test.bin']) await writeFile(join(cwd, 'pictures', name), pictures);
  await underThreeNames(cwd, 'stripes.ts');
  const node = (name: string): string =>
    `  ${name}: {uses: evaluate, in: {weights: start.weights}, with: {data: {name: ./${name}.ts, root: pictures, settings: {side: 8}}}}`;
  const start =
    '  start: {uses: pretrain-load, with: {source: random, model: {model: mlp, image_size: 8, num_channels: 1, hidden: [8], labels: 2}}}';
  await writeFile(join(cwd, 'p.yaml'), ['stages:', start, ...['stripes', 'link', 'copy'].map(node)].join('\n'));
  const {ids} = await run(cwd);
  expect(ids('ran')).toHaveLength(2);
  expect(ids('cached')).toHaveLength(2);
  await rename(join(cwd, 'copy.ts'), join(cwd, 'other.ts'));
  await editFile(join(cwd, 'p.yaml'), './copy.ts', './other.ts');
  expect((await plan(cwd)).map(({verdict}) => verdict)).toEqual(Array(4).fill('cached'));
  await editFile(join(cwd, 'other.ts'), 'const n = bytes', 'const n: number = bytes');
  expect((await plan(cwd)).filter(({verdict}) => verdict !== 'cached')).toEqual([
    {id: 'copy', verdict: 'run', reason: 'data.name: the code of other.ts changed'},
  ]);
}, 60_000);
