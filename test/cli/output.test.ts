import {execFileSync} from 'node:child_process';
import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {findProgram} from '../../stages/tensor/machine.ts';
import {BASIN, basin, environment, makeFolder, STACK, scratchFolder} from './basin.ts';
import {runJson} from './run-study.ts';
import {PLAIN} from './study.ts';

const ESCAPE = '\u001b';
/** Colours and weights; moving the cursor of a live display is another matter. */
const STYLE = new RegExp(`${ESCAPE}\\[[0-9;]*m`);

const FAILING = PLAIN.replace(
  'in: {weights: start.weights}, with: {source: upstream, labels: 3}',
  'with: {source: upstream, labels: 3}',
);

let cwd: string;

beforeAll(async () => {
  cwd = await makeFolder();
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  await writeFile(join(cwd, 'failing.yaml'), FAILING);
});
afterAll(() => rm(cwd, {recursive: true, force: true}));

test('in a pipe there are plain lines and no escape codes, whatever happens', async () => {
  const run = await basin(['run', 'plain.yaml'], {cwd, env: {FORCE_COLOR: ''}});
  expect(run).toMatchObject({code: 0, stderr: ''});
  expect(run.stdout).toMatch(
    /^> start \(has not run before\)\n✓ start .*\n> again \(has not run before\)\n✓ again .*\nran 2, cached 0 in .*\n/,
  );
  const failing = await basin(['run', 'failing.yaml'], {cwd});
  for (const {stdout, stderr} of [run, failing]) expect(stdout + stderr).not.toContain(ESCAPE);
});

test('a stage that fails says what and what to do, ends with 1, and has no stack of ours', async () => {
  const told = await basin(['run', 'failing.yaml', '--cache', 'failing'], {cwd});
  expect(told).toMatchObject({code: 1, stderr: ''});
  expect(told.stdout).toContain('  The source is upstream, but nothing is connected to the input `weights`.\n');
  expect(told.stdout).toContain('  Add `in: {weights: some-node.weights}`, or name another source.\n');
  expect(told.stdout).not.toMatch(STACK);
  const json = await runJson(['failing.yaml', '--cache', 'failing-json'], {cwd});
  expect(json).toMatchObject({code: 1, totals: {ran: 1, failed: 1}});
  expect(json.ids('failed')).toEqual(['again']);
});

test('outside data that is not there is unresolved in plan with its reason, and a failure with the same in run', async () => {
  const folder = await scratchFolder();
  const text = PLAIN.replace(
    /\n {2}again: .*\n/,
    '\n  again: {uses: pretrain-load, with: {source: ./none, labels: 3}}\n',
  );
  await writeFile(join(folder, 'p.yaml'), text);
  const plan = await basin(['plan', 'p.yaml', '--json'], {cwd: folder});
  expect(plan.code).toBe(0);
  expect(JSON.parse(plan.stdout).instances[1]).toMatchObject({
    id: 'again',
    verdict: 'unresolved',
    reason: expect.stringContaining('./none'),
  });
  const run = await runJson(['p.yaml'], {cwd: folder});
  expect(run).toMatchObject({code: 1, totals: {ran: 0, failed: 1, skipped: 1}});
  expect(run.events).toContainEqual(
    expect.objectContaining({id: 'again', failure: expect.objectContaining({hint: expect.any(String)})}),
  );
});

/** The program of util-linux that gives another one a terminal. */
const script = process.platform === 'linux' ? findProgram(['script']) : undefined;

/** What a terminal of some width is sent. */
function inTerminal(columns: number, args: readonly string[], env: Readonly<Record<string, string>>): string {
  const command = `stty cols ${columns} rows 24; exec "$BASIN" ${args.join(' ')}`;
  return execFileSync(script ?? '', ['-qec', command, '/dev/null'], {
    cwd,
    env: {...environment(join(cwd, 'terminal')), TERM: 'xterm', BASIN, ...env},
    encoding: 'utf8',
  });
}

test.skipIf(script === undefined)('a terminal has colour, and none with NO_COLOR', () => {
  expect(inTerminal(80, ['run', 'plain.yaml'], {})).toMatch(STYLE);
  expect(inTerminal(80, ['run', 'plain.yaml', '--cache', 'uncoloured'], {NO_COLOR: '1'})).not.toMatch(STYLE);
});

test.skipIf(script === undefined)('a terminal that moves no cursor has plain lines', () => {
  const run = inTerminal(80, ['run', 'plain.yaml', '--cache', 'dumb'], {TERM: 'dumb'});
  expect(run).not.toContain(ESCAPE);
  expect(run).toMatch(/^> start \(has not run before\)\r\n✓ start /);
});

test.skipIf(script === undefined)('on 60 columns no line of a table is wider, and nothing is cut off', () => {
  inTerminal(60, ['run', 'plain.yaml'], {NO_COLOR: '1'});
  const shown = inTerminal(60, ['show', 'plain.yaml', 'start.weights'], {});
  const lines = shown.split(/\r?\n/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  for (const name of ['classifier.bias', 'classifier.weight', 'fc1.bias', 'fc1.weight']) expect(shown).toContain(name);
});
