import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {BASIN, basin, scratchFolder} from './basin.ts';
import {studyFolder} from './run-study.ts';
import {ON_BACKEND} from './study.ts';

let folder: string;

beforeAll(async () => {
  ({folder} = await studyFolder());
  // records are then read from their files, which is what they come back to when the index is lost
  await rm(join(folder, 'cache', 'index.sqlite'));
});
afterAll(() => rm(folder, {recursive: true, force: true}));

const show = (...args: string[]) => basin(['show', 'study.yaml', ...ON_BACKEND, ...args], {cwd: folder});

test('csv and json carry every digit, axes first, columns as declared', async () => {
  const json = await show('interpolate.points', '--format', 'json');
  expect(json).toMatchObject({code: 0, stderr: ''});
  const rows: Record<string, unknown>[] = JSON.parse(json.stdout);
  expect(rows.map(({alpha, split}) => `${alpha} ${split}`)).toEqual([
    '0 train',
    '0 test',
    '0.5 train',
    '0.5 test',
    '1 train',
    '1 test',
  ]);
  expect(Object.keys(rows[0] ?? {})).toEqual(['alpha', 'split', 'loss', 'error', 'accuracy', 'n']);
  const csv = await show('interpolate.points', '--format', 'csv');
  expect(csv.stdout).toBe(
    `${[Object.keys(rows[0] ?? {}), ...rows.map(Object.values)].map((row) => row.join(',')).join('\n')}\n`,
  );
});

test('an Arrow file is read by the Arrow library with the same rows', async () => {
  const file = join(await scratchFolder(), 'point.arrow');
  const written = await show('interpolate[alpha=0.5].points', '--format', 'arrow', '--output', file);
  expect(written).toEqual({code: 0, stdout: '', stderr: ''});
  const table = tableFromIPC(await readFile(file));
  const json = await show('interpolate[alpha=0.5].points', '--format', 'json');
  const rows: Record<string, unknown>[] = JSON.parse(json.stdout);
  expect(table.toArray().map((row) => ({alpha: 0.5, ...row.toJSON()}))).toEqual(rows);
});

test('the ending of the file says its format, and one that says none is refused', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  const printed = async (...args: string[]) => (await show('platon-prune.mask', ...args)).stdout;
  const write = (name: string, ...args: string[]) => show('platon-prune.mask', '--output', join(cwd, name), ...args);
  const written = async (name: string, ...args: string[]) => {
    expect(await write(name, ...args)).toEqual({code: 0, stdout: '', stderr: ''});
    return readFile(join(cwd, name), 'utf8');
  };
  const table = await printed();
  expect(await written('mask.txt')).toBe(table);
  expect(await written('mask')).toBe(table);
  expect(await written('mask.CSV')).toBe(await printed('--format', 'csv'));
  const json = await printed('--format', 'json');
  expect(await written('mask.json')).toBe(json);
  expect(await written('mask.rows', '--format', 'json')).toBe(json);
  expect(await written('json.csv', '--json')).toBe(json);
  const refused = async (name: string) => {
    const {code, stdout, stderr} = await write(name);
    expect({code, stdout}).toEqual({code: 2, stdout: ''});
    return stderr;
  };
  expect(await refused('mask.xlsx')).toBe(
    'wrong-command: A file that ends in ".xlsx" says no format.\nGive a name that ends in .txt, .csv, .json or .arrow, or --format.\n',
  );
  expect(await refused('mask.svg')).toMatch(/^wrong-command: platon-prune\.mask is no plot, /);
  expect(await refused('mask.arrow')).toMatch(
    /^wrong-command: platon-prune has 2 instances, and an Arrow file is of one\.\n/,
  );
  const one = await show('barrier.summary', '--output', join(cwd, 'one.arrow'));
  expect(one).toEqual({code: 0, stdout: '', stderr: ''});
  expect(tableFromIPC(await readFile(join(cwd, 'one.arrow'))).numRows).toBe(2);
});

test('a mask is a row a tensor, of a node for every point; weights too', async () => {
  const masks = await show('platon-prune.mask');
  expect(masks.stdout.split('\n').slice(0, 4)).toEqual([
    'keep  name        shape  weights  kept  kept_fraction',
    '────  ──────────  ─────  ───────  ────  ─────────────',
    '0.05  fc1.weight  8×784     6272   314       0.050064',
    ' 0.2  fc1.weight  8×784     6272  1254        0.19994',
  ]);
  const weights = await show('mask-retrain[keep=0.2].weights', '--format', 'json');
  const rows: {name: string; zeros: number}[] = JSON.parse(weights.stdout);
  expect(rows.find(({name}) => name === 'fc1.weight')?.zeros).toBe(6272 - 1254);
});

test('what has not run says so and how to run it, and prints nothing on standard output', async () => {
  const changed = await show('barrier.summary', '--set', 'data.limit.test=99');
  expect(changed).toEqual({
    code: 1,
    stdout: '',
    stderr: `not-stored: barrier has not run as the pipeline is now.\nRun it first: ${BASIN} run study.yaml --set data.limit.test=99 ${ON_BACKEND.join(' ')}\n`,
  });
});

test('one Arrow file of many points, and a place that cannot be written to, are refused', async () => {
  expect(await show('interpolate.points', '--format', 'arrow')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "wrong-command: interpolate has 3 instances, and an Arrow file is of one.\nName one, for example 'interpolate[alpha=0].points'.\n",
  });
  const unwritable = await show('barrier.summary', '--output', join('none', 'table.txt'));
  expect(unwritable).toMatchObject({code: 1, stdout: ''});
  expect(unwritable.stderr).toBe(
    'cannot-go-on: Cannot write "none/table.txt": its folder does not exist.\nGive --output a file in a folder that can be written.\n',
  );
});
