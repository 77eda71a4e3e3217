import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from './basin.ts';
import {STUDY} from './study.ts';

/** A user for whom nothing has been set up yet. */
async function newUser() {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'study.yaml'), STUDY);
  await writeFile(join(cwd, 'slow.yaml'), 'keeps: [0.5]\n');
  const user = join(cwd, 'user');
  return {cwd, user, place: {cwd, env: {XDG_CACHE_HOME: user}}};
}

test.for([
  'run study.yaml --target barier',
  'run study.yaml --target barier --slow-params slow.yaml',
  'run study.yaml --target barier --backend cpu',
  'explain study.yaml barier',
  'show study.yaml barier.summary',
  'log study.yaml barier',
])('basin %s is refused before a back end is set up or a cache is made', async (command) => {
  const {cwd, user, place} = await newUser();
  const told = await basin(command.split(' '), place);
  expect(told).toEqual({
    code: 2,
    stdout: '',
    stderr: 'wrong-command: There is no node or instance "barier" in study.yaml.\nDid you mean "barrier"?\n',
  });
  expect(existsSync(join(user, 'basin', 'backends'))).toBe(false);
  expect(existsSync(join(cwd, 'cache'))).toBe(false);
});

test('a cache that cannot be used is refused before a back end is set up', async () => {
  const {user, place} = await newUser();
  const told = await basin(['run', 'study.yaml', '--backend', 'cpu', '--cache', 'study.yaml'], place);
  expect(told).toMatchObject({code: 1, stdout: ''});
  expect(told.stderr).toMatch(/^store-is-a-file: /);
  expect(existsSync(join(user, 'basin', 'backends'))).toBe(false);
});

test('a target that only the params for a slow back end have runs with those', async () => {
  const {place, user} = await newUser();
  const args = ['run', 'study.yaml', '--target', 'platon-prune[keep=0.5]', '--backend', 'cpu', '--json'];
  expect((await basin(args, place)).code).toBe(2);
  const told = await basin([...args, '--slow-params', 'slow.yaml'], place);
  expect(told.code, told.stdout + told.stderr).toBe(0);
  expect(existsSync(join(user, 'basin', 'backends'))).toBe(true);
});
