import {existsSync} from 'node:fs';
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {basin, makeFolder, STACK} from './basin.ts';
import {PLAIN} from './study.ts';

let cwd: string;

beforeAll(async () => {
  cwd = await makeFolder();
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  await mkdir(join(cwd, 'folder'));
  await writeFile(join(cwd, 'folder', 'inner.yaml'), PLAIN);
});
afterAll(() => rm(cwd, {recursive: true, force: true}));

const LEAVE_OUT = 'Leave one of them out.';
const OPTIONS = 'basin --help lists the commands, basin COMMAND --help its options.';

const wrong: readonly (readonly [command: string, message: string, hint: string])[] = [
  ['rnu plain.yaml', "Unknown command 'rnu'.", 'Did you mean run?'],
  ['run', "Missing required argument 'file'.", OPTIONS],
  ['run plain.yaml more', "Too many arguments for 'run'. Expected 1 argument but got 2: plain.yaml, more.", OPTIONS],
  ['run plain.yaml --keepgoing', "Unknown option '--keepgoing'.", 'Did you mean --keep-going?'],
  [
    'run plain.yaml --jobs 0',
    "Option '--jobs <n>' argument '0' is invalid. It must be a whole number from 1 on.",
    OPTIONS,
  ],
  [
    'run plain.yaml --backend gpu',
    "Option '--backend <name>' argument 'gpu' is invalid. Allowed choices are cuda, tensorflow, wasm, cpu.",
    OPTIONS,
  ],
  [
    'run plain.yaml --keep-going --fail-fast',
    "Option '--fail-fast' cannot be used with option '--keep-going'.",
    OPTIONS,
  ],
  [
    'run palin.yaml',
    'Cannot open the pipeline file "palin.yaml": there is no such file.',
    'Did you mean "plain.yaml"?',
  ],
  ['plan folder', 'Cannot open the pipeline file "folder": it is a folder.', 'The pipelines in it are: inner.yaml.'],
  [
    'plan plain.yaml --params elsewhere/none.yaml',
    'Cannot open the params file "elsewhere/none.yaml": there is no such file.',
    'Check the path; it starts at the folder you are in.',
  ],
  ['run plain.yaml --target strat', 'There is no node or instance "strat" in plain.yaml.', 'Did you mean "start"?'],
  ['explain plain.yaml agian', 'There is no node or instance "agian" in plain.yaml.', 'Did you mean "again"?'],
  ['show plain.yaml start', '"start" names no artifact.', 'The artifacts of start are: start.weights, start.summary.'],
  ['show plain.yaml strat.weights', 'There is no node or instance "strat" in plain.yaml.', 'Did you mean "start"?'],
  ['show plain.yaml start.wieghts', 'start has no artifact "wieghts".', 'Did you mean "weights"?'],
  [
    'show plain.yaml start.summary --format xml',
    "Option '--format <name>' argument 'xml' is invalid. Allowed choices are table, csv, json, arrow, svg.",
    OPTIONS,
  ],
];

test.concurrent.for(wrong)('basin %s: %s', async ([command, message, hint]) => {
  const told = await basin(command.split(' '), {cwd});
  expect(told).toEqual({code: 2, stdout: '', stderr: `wrong-command: ${message}\n${hint}\n`});

  const json = await basin([...command.split(' '), '--json'], {cwd});
  expect(json).toMatchObject({code: 2, stderr: ''});
  expect(JSON.parse(json.stdout)).toEqual({
    errors: [{code: 'wrong-command', message, file: null, line: null, column: null, hint}],
  });
  expect(existsSync(join(cwd, 'cache'))).toBe(false);
});

test.concurrent.for([
  ['plan plain.yaml --graph mermaid', "Option '--graph <format>' cannot be used with option '--json'.", OPTIONS],
  ['show plain.yaml start.summary --format csv', '"--json" prints JSON, and "--format csv" does not.', LEAVE_OUT],
  ['show plain.yaml start.weights --format arrow', '"--json" prints JSON, and "--format arrow" does not.', LEAVE_OUT],
] as const)('basin %s --json asks for two things: %s', async ([command, message, hint]) => {
  const told = await basin([...command.split(' '), '--json'], {cwd});
  expect(told).toMatchObject({code: 2, stderr: ''});
  expect(JSON.parse(told.stdout)).toEqual({
    errors: [{code: 'wrong-command', message, file: null, line: null, column: null, hint}],
  });
});

test('an override that names no param points into --set', async () => {
  const told = await basin(['plan', 'plain.yaml', '--set', 'alpas=1'], {cwd});
  expect(told).toMatchObject({code: 2, stdout: ''});
  expect(told.stderr).toContain('--set:1:1 unknown-param\nThere is no param "alpas" to override.\n');
});

test('without a command the help is shown, and --help and --version succeed', async () => {
  const nothing = await basin([], {cwd});
  expect(nothing).toMatchObject({code: 2, stdout: ''});
  expect(nothing.stderr).toMatch(/^Usage: basin /);
  const help = await basin(['run', '--help'], {cwd});
  expect(help).toMatchObject({code: 0, stderr: ''});
  expect(help.stdout).toMatch(/^Usage: basin run /);
  expect(await basin(['--version'], {cwd})).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});

test('a cache that cannot be one is told in two lines, and no run starts', async () => {
  const told = await basin(['run', 'plain.yaml', '--cache', 'plain.yaml'], {cwd});
  expect(told).toMatchObject({code: 1, stdout: ''});
  expect(told.stderr).toMatch(/^store-is-a-file: The cache at .* is a file, not a folder\.\n/);
  expect(told.stderr).not.toMatch(STACK);
});

test('in a folder that was removed a command says so, and nothing else', async () => {
  const under = join(cwd, 'in-a-folder-that-goes');
  await writeFile(under, '#!/bin/sh\nmkdir gone && cd gone && rmdir ../gone && exec "$@"\n', {mode: 0o755});
  const told = await basin(['plan', join(cwd, 'plain.yaml')], {cwd, under});
  expect(told).toMatchObject({code: 2, stdout: ''});
  expect(told.stderr).toContain(
    'wrong-command: The folder you are in was removed.\nGo to one that is there; paths start at it.\n',
  );
  expect(told.stderr).not.toMatch(STACK);
});
