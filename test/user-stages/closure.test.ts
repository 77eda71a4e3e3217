import {spawnSync} from 'node:child_process';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, STACK, scratchFolder} from '../cli/basin.ts';
import {manifest, running, stage, write} from './project.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: as a stage has it
const FILES = {
  'regex.ts': stage("const quote = /'/g;", "(await import('./late.ts')).late + 'a'.replace(quote, '').length"),
  'template.ts': stage('', "Number(`${(await import('./deep/first.ts')).first}`)"),
  'packages.ts': stage("import {foo} from 'foo';", 'foo'),
  'fallback.ts': stage('', "(await import('bar')).bar"),
  'alone.ts': stage("import {lone} from 'lone';", 'lone'),
  'late.ts': 'export const late = 1;\n',
  'deep/first.ts': "import {type Second, second} from './second.ts';\nexport const first: Second = second;\n",
  'deep/second.ts': 'export type Second = number;\nexport const second: Second = 1;\n',
  'node_modules/foo/index.js': "export {bar as foo} from 'bar';\n",
  'node_modules/foo/package.json': manifest('foo', '1.0.0', {dependencies: {bar: '1'}, peerDependencies: {none: '1'}}),
  'node_modules/bar/index.js': 'export const bar = 1;\n',
  'node_modules/bar/package.json': manifest('bar', '1.0.0', {
    dependencies: {foo: '1'},
    exports: {import: './index.js'},
  }),
  'node_modules/lone/index.js': 'export const lone = 1;\n',
  'node_modules/lone/package.json': manifest('lone', '1.0.0'),
  'p.yaml': `stages:
  regex: {uses: ./regex.ts}
  template: {uses: ./template.ts}
  packages: {uses: ./packages.ts}
  fallback: {uses: ./fallback.ts}
  alone: {uses: ./alone.ts}
`,
};

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as a stage has it

test('whatever a stage comes to import decides its key, by way of packages and at any time', async () => {
  const cwd = await scratchFolder();
  await write(cwd, FILES);
  const run = await basin(['run', 'p.yaml'], {cwd});
  expect(run).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 5')});
  expect(await running(cwd)).toEqual([]);
  await write(cwd, {'late.ts': 'export const late = 2;\n'});
  expect(await running(cwd)).toEqual(['regex']);
  await write(cwd, {'late.ts': FILES['late.ts'], 'deep/second.ts': FILES['deep/second.ts'].replace('1', '2')});
  expect(await running(cwd)).toEqual(['template']);
  await write(cwd, {
    'deep/second.ts': FILES['deep/second.ts'],
    'node_modules/bar/package.json': manifest('bar', '1.1.0'),
  });
  expect(await running(cwd)).toEqual(['packages', 'fallback']);
  await rm(join(cwd, 'node_modules', 'bar'), {recursive: true});
  await write(cwd, {'node_modules/foo/node_modules/bar/index.js': 'export const bar = 1;\n'});
  await write(cwd, {'node_modules/foo/node_modules/bar/package.json': manifest('bar', '1.2.0')});
  await write(cwd, {'fallback.ts': FILES['alone.ts']}); // which has run under another name
  expect(await running(cwd)).toEqual(['packages']);
});

test('a package without a version is known by its files, one that is needed and one in no folder too, and where they lie does not matter', async () => {
  const cwd = await scratchFolder();
  const unnamed = JSON.stringify({type: 'module', main: 'index.js', dependencies: {'@own/inner': '1'}});
  const files = {
    'package.json': manifest('project', '1.0.0'),
    'mine.ts': stage("import {foo} from 'foo';", 'foo'),
    'lone.ts': stage("import {lone} from './node_modules/lone.js';", 'lone'),
    'node_modules/foo/package.json': unnamed,
    'node_modules/foo/index.js': "export {more as foo} from './lib/more.js';\n",
    'node_modules/foo/lib/more.js': "export {inner as more} from '@own/inner';\n",
    'node_modules/@own/inner/package.json': JSON.stringify({name: '@own/inner', type: 'module', main: 'index.js'}),
    'node_modules/@own/inner/index.js': 'export const inner = 1;\n',
    'node_modules/lone.js': 'export const lone = 1;\n',
    'p.yaml': 'stages:\n  mine: {uses: ./mine.ts}\n  lone: {uses: ./lone.ts}\n',
  };
  await write(cwd, files);
  expect(await basin(['run', 'p.yaml'], {cwd})).toMatchObject({code: 0, stdout: expect.stringContaining('ran 2')});
  const elsewhere = await scratchFolder();
  await write(elsewhere, files);
  expect(await running(elsewhere, join(cwd, 'cache'))).toEqual([]);
  await write(cwd, {'node_modules/@own/inner/index.js': 'export const inner = 2;\n'});
  expect(await running(cwd)).toEqual(['mine']);
  await write(cwd, {'node_modules/@own/inner/index.js': files['node_modules/@own/inner/index.js']});
  expect(await running(cwd)).toEqual([]);
  await write(cwd, {'node_modules/foo/lib/more.js': 'export const more = 3;\n'});
  expect(await running(cwd)).toEqual(['mine']);
  await write(cwd, {'node_modules/lone.js': 'export const lone = 2;\n'});
  expect(await running(cwd)).toEqual(['mine', 'lone']);
  expect(await basin(['run', 'p.yaml'], {cwd})).toMatchObject({code: 0, stdout: expect.stringContaining('ran 2')});
});

test('a pipe in the place of a file is refused and not waited on, of a stage, an import, a source or a data set', async () => {
  const cwd = await scratchFolder();
  const source =
    "sources: {file: async (_, {folder, digestOfFile}) => ({state: 'resolved', identity: await digestOfFile(folder + '/pipe'), located: ''})}";
  await write(cwd, {
    'imports.ts': stage("import './pipe.ts';", '1'),
    'later.ts': stage('', "(await import('./pipe.ts')).one"),
    'source.ts': stage('', '1').replace(
      'params: z.strictObject({})',
      `params: z.strictObject({file: z.string()}), ${source}`,
    ),
    'data.ts':
      "import {defineDataSet, z} from 'lossbasin';\nexport default defineDataSet({doc: '', settings: z.strictObject({}), files: () => ['pipe'], load: () => {}});\n",
    'p.yaml': ['pipe', 'imports', 'later']
      .map((name) => `  ${name}: {uses: ./${name}.ts}`)
      .join('\n')
      .replace('', 'stages:\n'),
    'q.yaml': `stages:
  source: {uses: ./source.ts, with: {file: x}}
  start: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [2]}}}
  data: {uses: evaluate, in: {weights: start.weights}, with: {data: {name: ./data.ts}}}
  code: {uses: evaluate, in: {weights: start.weights}, with: {data: {name: ./pipe.ts}}}
`,
  });
  for (const name of ['pipe', 'pipe.ts']) spawnSync('mkfifo', [join(cwd, name)]);
  const refused = await basin(['plan', 'p.yaml'], {cwd});
  expect(refused).toMatchObject({code: 2, stdout: ''});
  expect(refused.stderr.match(/pipe\.ts is a pipe or a device\./g)).toHaveLength(2);
  expect(refused.stderr).toContain('"./pipe.ts" cannot be imported: there is no such file.');
  const {stdout} = await basin(['plan', 'q.yaml'], {cwd});
  expect(stdout.match(/pipe(\.ts)? is a pipe or a device\./g)).toHaveLength(3);
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  [
    'createRequire',
    stage("import {createRequire} from 'node:module';", "createRequire(import.meta.url)('./helper.cjs').value"),
    /^createRequire\.ts:1:1 bad-stage-file\nWhat createRequire of node:module loads is in no key\.\n.*\n {2}\^+\nWrite import name from /,
  ],
  [
    'hidden',
    stage(
      "import * as loader from 'module';\nconst made = loader['create' + 'Require'](import.meta.url)('./helper.cjs');",
      'made.value',
    ),
    /^hidden\.ts:1:1 bad-stage-file\nWhat createRequire of node:module loads is in no key\./,
  ],
  [
    'commonjs',
    stage("import helper from './requires.cjs';", 'helper.value'),
    /^requires\.cjs:1:\d+ bad-stage-file\n"\.\/helper\.cjs" is loaded with require, and what that loads is in no key\.\n/,
  ],
  [
    'computed',
    stage("const quote = /'/g;", "(await import('./' + 'late.ts')).late"),
    /^computed\.ts:6:\d+ bad-stage-file\nThis import is made while the stage runs\./,
  ],
  [
    'missing',
    stage('', "(await import('./none.ts')).none"),
    /^missing\.ts:6:\d+ bad-stage-file\n"\.\/none\.ts" cannot be imported: there is no such file\./,
  ],
  [
    'absent',
    stage('', "(await import('no-such-package')).none"),
    /^absent\.ts:6:\d+ bad-stage-file\n"no-such-package" cannot be imported: there is no such package\./,
  ],
];

test('what cannot be followed is refused with its place, of all files at once', async () => {
  const cwd = await scratchFolder();
  await write(cwd, {
    ...Object.fromEntries(REFUSED.map(([name, text]) => [`${name}.ts`, text])),
    'helper.cjs': 'module.exports = {value: 20};\n',
    'requires.cjs': "module.exports = require('./helper.cjs');\n",
    'p.yaml': ['stages:', ...REFUSED.map(([name]) => `  ${name}: {uses: ./${name}.ts}`)].join('\n'),
  });
  const {code, stderr} = await basin(['plan', 'p.yaml'], {cwd});
  expect(code).toBe(2);
  expect(stderr).not.toMatch(STACK);
  const told = stderr.split('\n\n');
  for (const [name, , expected] of REFUSED)
    expect(
      told.filter((fault) => expected.test(fault)),
      `${name}\n${stderr}`,
    ).toHaveLength(1);
});

test('a stage cannot load what was not there when its key was made', async () => {
  const cwd = await scratchFolder();
  await write(cwd, {
    'late.ts': 'export const late = 1;\n',
    'mine.ts': stage('', "(await import('./late.ts')).late"),
    'hidden.ts': stage('', "(await new Function('name', 'return import(name)')('./late.ts')).late"),
    'required.ts': stage(
      'const loader = process.getBuiltinModule("mod" + "ule");',
      "loader.createRequire(import.meta.url)('./late.ts').late",
    ),
    'p.yaml': `stages:
  edit: {run: [sh, -c, 'echo "// edited" >>"$0"; echo "[]" >"$1"', "${join(cwd, 'late.ts')}", "\${out.w}"], out: {w: {kind: evals}}}
  hidden: {uses: ./hidden.ts}
  required: {uses: ./required.ts}
`,
  });
  const {code, stdout, stderr} = await basin(['run', 'p.yaml', '--keep-going'], {cwd});
  expect(code, stdout + stderr).toBe(1);
  expect(stdout).toContain('ran 1, cached 0, failed 2');
  expect(stdout + stderr).toContain('late.ts is in no key');
});
