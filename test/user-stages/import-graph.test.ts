import {cp, mkdir, rename, rm, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {manifest, running, stage, write} from './project.ts';

const VALUE = '10 * one + two';
const one = (specifier: string): string => `import {v as one} from '${specifier}';`;
const two = (specifier: string): string => `import {v as two} from '${specifier}';`;
const metric = (folder: string, version: number): Readonly<Record<string, string>> => ({
  [`${folder}/package.json`]: manifest('metric', `${version}.0.0`),
  [`${folder}/index.js`]: `export const v = ${version};\n`,
});
const values = {'x.ts': 'export const v = 1;\n', 'y.ts': 'export const v = 2;\n'};
const names = (first: string, second: string): string =>
  JSON.stringify({name: 'lab', version: '1.0.0', imports: {'#one': first, '#two': second}});
const below = (folder: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));

/** Puts each of two files or folders in the place of the other. */
async function exchange(first: string, second: string): Promise<void> {
  await rename(first, `${first}-was`);
  await rename(second, first);
  await rename(`${first}-was`, second);
}

const FILES = {
  ...below('names', {
    ...values,
    'package.json': names('./x.ts', './y.ts'),
    'mine.ts': stage(`${one('#one')} ${two('#two')}`, VALUE),
  }),
  ...below('late', {
    ...values,
    'package.json': names('./x.ts', './y.ts'),
    'mine.ts': stage('', "10 * (await import('#one')).v + (await import('#two')).v"),
  }),
  ...below('links', {...values, 'mine.ts': stage(`${one('./a.ts')} ${two('./b.ts')}`, VALUE)}),
  ...below('aliases', {
    ...metric('node_modules/old-metric', 1),
    ...metric('node_modules/new-metric', 2),
    'mine.ts': stage(`${one('old-metric')} ${two('new-metric')}`, VALUE),
  }),
  ...below('hoisted', {
    ...metric('node_modules/metric', 1),
    ...metric('node_modules/wrap/node_modules/metric', 2),
    'node_modules/wrap/package.json': manifest('wrap', '1.0.0', {dependencies: {metric: '*'}}),
    'node_modules/wrap/index.js': "export {v} from 'metric';\n",
    'mine.ts': stage(`${one('metric')} ${two('wrap')}`, VALUE),
  }),
  ...below('beside', {
    ...metric('one/node_modules/metric', 1),
    ...metric('two/node_modules/metric', 2),
    'one/one.ts': "export {v} from 'metric';\n",
    'two/two.ts': "export {v} from 'metric';\n",
    'mine.ts': stage(`${one('./one/one.ts')} ${two('./two/two.ts')}`, VALUE),
  }),
};
const NODES = ['names', 'late', 'links', 'aliases', 'hoisted', 'beside'];

const shownValues = async (cwd: string): Promise<readonly unknown[]> => {
  const shown = await Promise.all(
    NODES.map((node) => basin(['show', 'p.yaml', `${node}.summary`, '--format', 'json'], {cwd})),
  );
  return shown.map(({stdout}): unknown => JSON.parse(stdout));
};

test('which import leads to which file or package decides the key, by whatever way it comes to lead elsewhere', async () => {
  const cwd = await scratchFolder();
  const linked = join(cwd, 'links');
  await write(cwd, {
    ...FILES,
    'p.yaml': ['stages:', ...NODES.map((name) => `  ${name}: {uses: ./${name}/mine.ts}`)].join('\n'),
  });
  await symlink('x.ts', join(linked, 'a.ts'));
  await symlink('y.ts', join(linked, 'b.ts'));
  const run = (): Promise<unknown> => basin(['run', 'p.yaml'], {cwd});
  expect(await run()).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 6')});
  expect(await running(cwd)).toEqual([]);
  expect(await shownValues(cwd)).toEqual(NODES.map(() => [{value: 12}]));

  const swap = async (back: boolean): Promise<void> => {
    const swapped = back ? names('./x.ts', './y.ts') : names('./y.ts', './x.ts');
    await write(cwd, {'names/package.json': swapped, 'late/package.json': swapped});
    await exchange(join(linked, 'a.ts'), join(linked, 'b.ts'));
    const packages = join(cwd, 'aliases', 'node_modules');
    await exchange(join(packages, 'old-metric'), join(packages, 'new-metric'));
    const hoisted = join(cwd, 'hoisted', 'node_modules');
    await exchange(join(hoisted, 'metric'), join(hoisted, 'wrap', 'node_modules', 'metric'));
    await exchange(join(cwd, 'beside', 'one', 'node_modules'), join(cwd, 'beside', 'two', 'node_modules'));
  };
  await swap(false);
  expect(await running(cwd)).toEqual(NODES);
  expect(await run()).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 6')});
  expect(await shownValues(cwd)).toEqual(NODES.map(() => [{value: 21}]));
  await swap(true);
  expect(await running(cwd)).toEqual([]);
});

test('how often a package is installed, and how its folders are linked, does not matter, but what it is given to import does', async () => {
  const cwd = await scratchFolder();
  const inner = (folder: string, version: string) => ({
    [`${folder}/package.json`]: manifest('inner', version, {dependencies: {deepest: '*'}}),
    [`${folder}/index.js`]: 'export const v = 1;\n',
  });
  const deepest = (folder: string, version: string) => ({[`${folder}/package.json`]: manifest('deepest', version)});
  const outer = (folder: string, name: string) => ({
    [`${folder}/package.json`]: manifest(name, '1.0.0', {dependencies: {inner: '*'}}),
    [`${folder}/index.js`]: "export {v} from 'inner';\n",
  });
  await write(cwd, {
    ...outer('node_modules/one', 'one'),
    ...outer('node_modules/two', 'two'),
    ...inner('node_modules/inner', '1.0.0'),
    ...deepest('node_modules/deepest', '1.0.0'),
    'mine.ts': stage(`${one('one')} ${two('two')}`, VALUE),
    'p.yaml': 'stages:\n  mine: {uses: ./mine.ts}\n',
  });
  expect(await basin(['run', 'p.yaml'], {cwd})).toMatchObject({code: 0, stdout: expect.stringContaining('ran 1')});
  const packages = join(cwd, 'node_modules');
  await cp(join(packages, 'inner'), join(packages, 'one', 'node_modules', 'inner'), {recursive: true});
  expect(await running(cwd)).toEqual([]);
  // As pnpm lays them out: each beside what it needs, and links from where they are looked up.
  await rm(packages, {recursive: true});
  const links = [
    ['one', '.store/one/node_modules/one'],
    ['two', '.store/two/node_modules/two'],
    ['.store/one/node_modules/inner', '.store/inner/node_modules/inner'],
    ['.store/two/node_modules/inner', '.store/inner/node_modules/inner'],
    ['.store/inner/node_modules/deepest', '.store/deepest/node_modules/deepest'],
  ] as const;
  await write(packages, {
    ...outer('.store/one/node_modules/one', 'one'),
    ...outer('.store/two/node_modules/two', 'two'),
    ...inner('.store/inner/node_modules/inner', '1.0.0'),
    ...deepest('.store/deepest/node_modules/deepest', '1.0.0'),
  });
  for (const [link, folder] of links) await symlink(join(packages, folder), join(packages, link));
  expect(await running(cwd)).toEqual([]);
  await write(packages, inner('.store/inner/node_modules/inner', '1.1.0'));
  expect(await running(cwd)).toEqual(['mine']);
  await write(packages, inner('.store/inner/node_modules/inner', '1.0.0'));
  expect(await running(cwd)).toEqual([]);
  await write(packages, deepest('.store/deepest/node_modules/deepest', '1.1.0'));
  expect(await running(cwd)).toEqual(['mine']);
  await write(packages, deepest('.store/deepest/node_modules/deepest', '1.0.0'));
  await rm(join(packages, '.store/two/node_modules/inner'));
  await mkdir(join(packages, '.store/two/node_modules/inner'));
  await write(packages, inner('.store/two/node_modules/inner', '2.0.0'));
  expect(await running(cwd)).toEqual(['mine']);
});
