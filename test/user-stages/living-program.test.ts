import {spawnSync} from 'node:child_process';
import {mkdir, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {environment, scratchFolder} from '../cli/basin.ts';
import {manifest, stage, write} from './project.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Runs `p.yaml`, then does each edit and runs it again, in one program; gives each outcome. */
async function outcomes(files: Readonly<Record<string, string>>, edits: readonly Readonly<Record<string, string>>[]) {
  const cwd = await scratchFolder();
  await write(cwd, files);
  await mkdir(join(cwd, 'node_modules'), {recursive: true});
  await symlink(ROOT, join(cwd, 'node_modules', 'lossbasin'));
  await write(cwd, {
    'p.yaml': 'stages:\n  mine: {uses: ./mine.ts}\n',
    'program.ts': `import {writeFileSync} from 'node:fs';
import {PipelineError, run, table} from 'lossbasin';
for (const edit of ${JSON.stringify([{}, ...edits])}) {
  for (const [name, text] of Object.entries(edit)) writeFileSync(name, text);
  const outcome = await run('p.yaml').then(
    async ({ran, cached}) => ({ran, cached, rows: await table('p.yaml', 'mine.summary')}),
    (error: unknown) => error instanceof PipelineError ? error.faults.map(({message, hint}) => [message, hint]) : String(error),
  );
  console.log(JSON.stringify(outcome));
}
`,
  });
  const {stdout, stderr} = spawnSync(join(ROOT, 'bin', 'basin-node'), ['program.ts'], {
    cwd,
    env: environment(join(cwd, 'cache')),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return {
    cwd,
    told: stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  };
}

const counted = (n: number): Readonly<Record<string, string>> => ({
  'own.ts': `export const own = ${n};\n`,
  'common.cjs': `module.exports = {common: ${n}, inner: require('inner')};\n`,
  'data.json': `{"data": ${n}}\n`,
});
const FILES = {
  ...counted(1),
  'mine.ts': stage(
    `import {own} from './own.ts';
import required from './common.cjs';
import data from './data.json' with {type: 'json'};
const {common, inner} = required;`,
    '1000 * own + 100 * common + 10 * data.data + inner + params.start',
  )
    .replace('z.strictObject({})', 'z.strictObject({start: z.number().default(common)})')
    .replace('async () =>', 'async ({params}) =>'),
  'node_modules/inner/package.json': JSON.stringify({name: 'inner', version: '1.0.0', main: 'index.js'}),
  'node_modules/inner/index.js': 'module.exports = 1;\n',
};

test('a program that lives on runs what a stage and all that it imports are now, CommonJS too', async () => {
  const {told} = await outcomes(FILES, [
    counted(2),
    counted(1),
    {'common.cjs': 'module.exports = {common: 3, inner: 0};\n'},
  ]);
  expect(told).toEqual([
    {ran: 1, cached: 0, rows: [{value: 1112}]},
    {ran: 1, cached: 0, rows: [{value: 2223}]},
    {ran: 0, cached: 1, rows: [{value: 1112}]},
    {ran: 1, cached: 0, rows: [{value: 1313}]},
  ]);
});

test('what it cannot load anew, a package and the names of a package.json, it refuses', async () => {
  const upgraded = manifest('outer', '2.0.0');
  const {cwd, told} = await outcomes(
    {
      'package.json': JSON.stringify({type: 'module', imports: {'#part': './one.ts'}}),
      'one.ts': 'export const part = 1;\n',
      'two.ts': 'export const part = 2;\n',
      'mine.ts': stage("import {outer} from 'outer';\nimport {part} from '#part';", 'outer + part'),
      'node_modules/outer/package.json': manifest('outer', '1.0.0'),
      'node_modules/outer/index.js': 'export const outer = 1;\n',
    },
    [
      {'node_modules/outer/package.json': upgraded},
      {'node_modules/outer/package.json': manifest('outer', '1.0.0')},
      {'package.json': JSON.stringify({type: 'module', imports: {'#part': './two.ts'}})},
    ],
  );
  const hint = 'Start the program anew: what it has loaded of it stays as it was.';
  expect(told).toEqual([
    {ran: 1, cached: 0, rows: [{value: 2}]},
    [['The package outer changed after this program had loaded it.', hint]],
    {ran: 0, cached: 1, rows: [{value: 2}]},
    [[`${join(cwd, 'package.json')} changed after this program had read it.`, hint]],
  ]);
});
