import {cp, mkdir, readdir, readFile, rm, utimes, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, type Ended, jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
import {PLAIN} from '../cli/study.ts';
import {expectIntact} from './intact.ts';
import {inNamespace, may} from './namespace.ts';

async function plainFolder(): Promise<string> {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  return cwd;
}

test.for([
  `mit Leerzeichen und "Anführungszeichen" für 'später'`,
  '$HOME;&*?[x]{y}#%20',
  'zeile\nzwei',
  '-dash',
  '日本語/深い/場所',
])('a cache at %j is like every other: run, rerun, show, log', async (name) => {
  const cwd = await plainFolder();
  const cache = join(cwd, name);
  const place = {cwd, cache};
  expect(await basin(['run', 'plain.yaml'], place)).toMatchObject({code: 0, stderr: ''});
  const again = await basin(['run', 'plain.yaml', '--json'], place);
  expect(jsonLines(again.stdout).at(-1)).toMatchObject({ran: 0, cached: 2});
  const shown = await basin(['show', 'plain.yaml', 'again.summary', '--format', 'json'], place);
  expect(JSON.parse(shown.stdout)).toEqual([expect.objectContaining({labels: 3})]);
  expect((await basin(['log', 'plain.yaml', 'start'], place)).stdout).toContain('ran after');
  expect(await expectIntact(cache)).toBe(2);
});

test.skipIf(!may('mount'))('a cache on another file system than the pipeline is like every other', async () => {
  const cwd = await plainFolder();
  const {step, out} = await inNamespace(
    'mount',
    cwd,
    `mount -t tmpfs -o size=8m none "$PLACE"
     step run "$BASIN" run plain.yaml
     step again "$BASIN" run plain.yaml --json
     cp -r "$PLACE/cache" "$OUT/cache"`,
  );
  expect(step('run')).toMatchObject({code: 0, stderr: ''});
  expect(jsonLines(step('again').stdout).at(-1)).toMatchObject({ran: 0, cached: 2});
  expect(await expectIntact(join(out, 'cache'))).toBe(2);
});

/** Every file of a folder with its content. */
async function contents(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const files = entries.filter((entry) => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
  return new Map(await Promise.all(files.map(async (path) => [path, await readFile(path, 'base64')] as const)));
}

const COMMANDS = [
  ['run', 'plain.yaml'],
  ['plan', 'plain.yaml'],
  ['show', 'plain.yaml', 'start.summary'],
  ['explain', 'plain.yaml', 'start'],
  ['log', 'plain.yaml', 'start'],
] as const;

/** What each command says of a cache that none of them can use. */
async function refusals(cwd: string): Promise<readonly Ended[]> {
  const told: Ended[] = [];
  for (const command of COMMANDS) told.push(await basin(command, {cwd}));
  for (const {code, stdout, stderr} of told) {
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    expect(stderr).not.toMatch(STACK);
  }
  return told;
}

test('a cache that a newer basin wrote is refused by every command, and nothing in it is touched', async () => {
  const cwd = await plainFolder();
  const cache = join(cwd, 'cache');
  await basin(['run', 'plain.yaml'], {cwd});
  await writeFile(join(cache, 'FORMAT'), '99\n');
  const before = await contents(cache);
  for (const {stderr} of await refusals(cwd))
    expect(stderr).toBe(
      `store-format: The cache at ${cache} was written by a newer basin: it has format 99, and this one knows 1.\nUpdate basin, or name another folder with --cache DIR or BASIN_CACHE.\n`,
    );
  expect(await contents(cache)).toEqual(before);
});

test('a folder of somebody else is refused by every command, and nothing in it is touched', async () => {
  const cwd = await plainFolder();
  const cache = join(cwd, 'cache');
  const session = join(cache, 'tmp', 'sessions', 's1');
  await mkdir(join(session, '..'), {recursive: true});
  await writeFile(session, 'theirs');
  for (const path of [session, join(session, '..')]) await utimes(path, 1e9, 1e9);
  for (const {stderr} of await refusals(cwd))
    expect(stderr).toBe(
      `store-foreign: The folder ${cache} is no cache of basin: it has no file FORMAT, but other things, as "tmp/sessions".\nNothing in it was touched. Name another folder, or an empty one, with --cache DIR or BASIN_CACHE.\n`,
    );
  expect(await contents(cache)).toEqual(new Map([[session, Buffer.from('theirs').toString('base64')]]));
});

test('a cache that is a file is refused by every command, and stays as it is', async () => {
  const cwd = await plainFolder();
  const cache = join(cwd, 'cache');
  await writeFile(cache, 'not a cache');
  for (const {stderr} of await refusals(cwd))
    expect(stderr).toBe(
      `store-is-a-file: The cache at ${cache} is a file, not a folder.\nMove it away, or name another folder with --cache DIR or BASIN_CACHE.\n`,
    );
  expect(await readFile(cache, 'utf8')).toBe('not a cache');
});

test('a cache below a file, or with a file where a folder of it belongs, is told in two lines', async () => {
  const cwd = await plainFolder();
  await writeFile(join(cwd, 'file'), '');
  const below = await basin(['run', 'plain.yaml', '--cache', 'file/cache'], {cwd});
  expect(below).toMatchObject({code: 1, stdout: ''});
  expect(below.stderr).toMatch(/^store-is-a-file: .*something on that path is a file, not a folder\.\nMove it away\./);
  await basin(['run', 'plain.yaml', '--cache', 'half'], {cwd});
  await rm(join(cwd, 'half', 'blobs'), {recursive: true});
  await writeFile(join(cwd, 'half', 'blobs'), '');
  const half = await basin(['run', 'plain.yaml', '--cache', 'half', '--force', 'start'], {cwd});
  expect(half).toMatchObject({code: 1, stdout: ''});
  expect(half.stderr).toMatch(/^store-is-a-file: .*something on that path is a file, not a folder\.\nMove it away\./);
});

test('a cache that was copied to another place serves there', async () => {
  const cwd = await plainFolder();
  await basin(['run', 'plain.yaml'], {cwd});
  await cp(join(cwd, 'cache'), join(cwd, 'copy'), {recursive: true});
  const told = await basin(['run', 'plain.yaml', '--cache', 'copy', '--json'], {cwd});
  expect(jsonLines(told.stdout).at(-1)).toMatchObject({ran: 0, cached: 2});
});
