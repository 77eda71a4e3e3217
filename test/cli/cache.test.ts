import {chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {isKey} from '../../src/base/digest.ts';
import {RecordIndex} from '../../src/store/record-index.ts';
import {writable} from '../rig/writable.ts';
import {basin, jsonLines, scratchFolder} from './basin.ts';
import {edited, PLAIN} from './study.ts';

async function afterRun() {
  const cwd = await scratchFolder();
  const cache = join(cwd, 'cache');
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  expect((await basin(['run', 'plain.yaml'], {cwd})).code).toBe(0);
  const filesOf = async (folder: string) =>
    (await readdir(join(cache, folder), {recursive: true, withFileTypes: true}))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const ask = async (...args: string[]) => {
    const {code, stdout} = await basin(['cache', ...args, '--json'], {cwd});
    return {code, told: jsonLines(stdout)[0]};
  };
  return {cwd, cache, filesOf, ask};
}

test('gc to nothing keeps a finished pipeline cached; an edit then makes again just what it needs', async () => {
  const {cwd, filesOf, ask} = await afterRun();
  const before = (await filesOf('blobs')).length;
  const {told} = await ask('gc', '--budget', '0');
  expect(told).toMatchObject({budget: 0, dryRun: false, bytesAfter: 0});
  expect(await filesOf('blobs')).toEqual([]);
  expect(before).toBeGreaterThan(0);
  const still = await basin(['run', 'plain.yaml', '--json'], {cwd});
  expect(jsonLines(still.stdout).at(-1)).toMatchObject({ran: 0, cached: 2});
  await writeFile(join(cwd, 'plain.yaml'), edited('labels: 3', 'labels: 4', PLAIN));
  const plan = await basin(['plan', 'plain.yaml'], {cwd});
  expect(plan.stdout).toContain('weights');
  const run = await basin(['run', 'plain.yaml', '--json'], {cwd});
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({ran: 2, cached: 0});
});

test('a budget is a size with a unit; one that is none is refused', async () => {
  const {cwd, ask} = await afterRun();
  for (const [size, bytes] of [
    ['20GB', 20e9],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['500 mb', 500e6],
    ['12', 12],
    ['3K', 3000],
    ['2PB', 2e15],
  ] as const)
    expect((await ask('gc', '--dry-run', '--budget', size)).told).toMatchObject({budget: bytes, dryRun: true});
  for (const size of ['5x', '', '-1', '1e3', 'GB']) {
    const refused = await basin(['cache', 'gc', '--budget', size], {cwd});
    expect(refused).toEqual({
      code: 2,
      stdout: '',
      stderr: `wrong-command: "${size}" is no size.\nWrite it as 20GB, 1.5GiB or 500MB.\n`,
    });
  }
});

test('a size is told in the unit in which it has at most three digits before the point', async () => {
  const {cwd} = await afterRun();
  for (const [budget, shown] of [
    ['999499', '999 kB'],
    ['999999', '1.00 MB'],
    ['99999TB', '100 PB'],
    ['1234567PB', '1235 EB'],
  ] as const) {
    const {stdout} = await basin(['cache', 'gc', '--dry-run', '--budget', budget], {cwd});
    expect(stdout).toContain(`; budget ${shown}\n`);
  }
});

test('verify finds a damaged payload, a damaged record and an index that lies, and repairs all three', async () => {
  const {cwd, cache, filesOf, ask} = await afterRun();
  expect(await ask('verify')).toMatchObject({code: 0, told: {whole: true, damagedPayloads: [], damagedRecords: []}});
  const [blob = ''] = await filesOf('blobs');
  await truncate(writable(blob), 10);
  expect(await ask('verify')).toMatchObject({code: 1, told: {whole: false, damagedPayloads: [expect.anything()]}});
  const [record = '', other = ''] = await filesOf('keys');
  await truncate(record, 10);
  const key = other.slice(-69, -5);
  const index = new RecordIndex(join(cache, 'index.sqlite'));
  const [indexed] = isKey(key) ? index.stampedRecords([key]) : [];
  if (!indexed) throw new Error(`${key} is not in the index`);
  index.put({...indexed, record: {...indexed.record, seconds: 12345}});
  index.close();
  const {told} = await ask('verify');
  expect(told).toMatchObject({damagedRecords: [expect.anything()], differsInIndex: [key]});
  expect(await ask('verify', '--repair')).toMatchObject({code: 0, told: {repaired: true}});
  expect(await ask('verify')).toMatchObject({code: 0, told: {whole: true}});
  const run = await basin(['run', 'plain.yaml', '--json'], {cwd});
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({failed: 0});
  expect((await basin(['cache', 'verify'], {cwd})).stdout).toMatch(/whole: every file is what its name says\n$/);
});

test('verify tells of links, and of folders that lie where a file should', async () => {
  const {cwd, filesOf, ask} = await afterRun();
  const [blob = ''] = await filesOf('blobs');
  await rename(dirname(blob), join(cwd, 'elsewhere'));
  await symlink(join(cwd, 'elsewhere'), dirname(blob));
  const [record = '', other = ''] = await filesOf('keys');
  await rename(record, join(cwd, 'record.json'));
  await symlink(join(cwd, 'record.json'), record);
  await rm(other);
  await mkdir(other);
  const links = [dirname(blob), record].map((path) => ({path, why: expect.stringContaining('it is a link')}));
  expect(await ask('verify', '--repair')).toMatchObject({
    code: 1,
    told: {
      ...{whole: false, repaired: true, gone: 0, damagedRecords: [other.slice(-69, -5)]},
      notRead: expect.arrayContaining(links),
    },
  });
  const {code, stdout} = await basin(['cache', 'verify'], {cwd});
  expect(code).toBe(1);
  expect(stdout).toContain(`not read: ${record}: it is a link`);
  expect(stdout).not.toContain('whole');
  for (const {path} of links) await rm(path);
  await rename(join(cwd, 'elsewhere'), dirname(blob));
  await rename(join(cwd, 'record.json'), record);
  expect(await ask('verify')).toMatchObject({code: 0, told: {whole: true, notRead: [], gone: 0}});
});

test('verify tells of a file that stands where the index belongs and is not ours, also damaged past recognition', async () => {
  const {cwd, cache, ask} = await afterRun();
  const index = join(cache, 'index.sqlite');
  await writeFile(index, 'theirs');
  expect(await ask('verify')).toMatchObject({code: 0, told: {whole: true, foreignIndex: index}});
  expect((await basin(['cache', 'verify'], {cwd})).stdout).toContain(
    `${index} is no index of basin's: it is left alone`,
  );
  expect(await readFile(index, 'utf8')).toBe('theirs');
});

test('verify holds the small table of a record to its payload, also of a record of before there was a check', async () => {
  const {cwd, cache, filesOf, ask} = await afterRun();
  for (const path of await filesOf('keys')) {
    const record = await readFile(path, 'utf8');
    const changed = record
      .replace(/"inline":\[\{("[a-z_]+"):[-0-9.e]+/, '"inline":[{$1:777')
      .replace(/"check":"[0-9a-f]*",/, '');
    await writeFile(path, changed);
  }
  await rm(join(cache, 'index.sqlite'));
  expect(await ask('verify')).toMatchObject({
    code: 1,
    told: {whole: false, falseTables: [expect.anything(), expect.anything()]},
  });
  expect(await ask('verify', '--repair')).toMatchObject({code: 0, told: {repaired: true}});
  expect(await ask('verify')).toMatchObject({code: 0, told: {whole: true}});
  const run = await basin(['run', 'plain.yaml', '--json'], {cwd});
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({ran: 2, cached: 0});
});

test('nothing that a run writes is everybody’s to write, under any umask; verify tells of what is', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  const before = process.umask(0);
  try {
    expect((await basin(['run', 'plain.yaml'], {cwd})).code).toBe(0);
  } finally {
    process.umask(before);
  }
  const cache = join(cwd, 'cache');
  for (const name of ['.', ...(await readdir(cache, {recursive: true}))])
    expect((await stat(join(cache, name))).mode & 0o002, name).toBe(0);
  await chmod(join(cache, 'blobs'), 0o777);
  expect((await basin(['cache', 'verify'], {cwd})).stdout).toContain(
    `everybody may write to ${join(cache, 'blobs')}\n`,
  );
});

test('a cache that is not there is told, with a near one, and stays away', async () => {
  const cwd = await scratchFolder();
  const asked = [
    ['cache', 'verify'],
    ['cache', 'gc', '--budget', '1GB'],
  ];
  const cache = join(cwd, 'cache');
  const message = `There is no cache at ${cache}.`;
  for (const command of asked) {
    const {code, stdout, stderr} = await basin(command, {cwd});
    expect({code, stdout}).toEqual({code: 2, stdout: ''});
    expect(stderr).toMatch(`wrong-command: ${message}\nName the folder of one`);
    const json = await basin([...command, '--json'], {cwd});
    expect({code: json.code, told: jsonLines(json.stdout)}).toMatchObject({code: 2, told: [{errors: [{message}]}]});
  }
  expect(await readdir(cwd)).toEqual([]);
  await mkdir(join(cwd, 'cash')); // no cache
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  await basin(['run', 'plain.yaml'], {cwd, cache: join(cwd, 'caches')});
  for (const command of asked)
    expect(await basin(command, {cwd})).toEqual({
      code: 2,
      stdout: '',
      stderr: `wrong-command: ${message}\nDid you mean ${cache}s?\n`,
    });
});
