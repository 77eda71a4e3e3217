import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeCheckout, makePath, realNpm, run, scratchFolder, start} from './checkout.ts';

// An npm that has begun to write and does not end, until it is killed.
const HANGING = 'mkdir -p node_modules/half; exec cat /dev/zero > /dev/null';

test('two starts at once set up once, and both go on', async () => {
  const root = makeCheckout();
  const log = join(scratchFolder(), 'calls');
  const npm = `echo called >> '${log}'; exec '${process.execPath}' '${realNpm()}' "$@"`;
  const env = {PATH: makePath({node: '24.21.0', npm}), HOME: root};
  const ends = await Promise.all([1, 2, 3].map(() => run(join(root, 'bin', 'basin'), ['x'], env)));
  for (const {code, stdout} of ends) {
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({args: ['x']});
  }
  expect(readFileSync(log, 'utf8')).toBe('called\n');
});

test('a set-up killed in the middle leaves nothing half done, and the next start completes it', async () => {
  const root = makeCheckout();
  const hanging = {PATH: makePath({node: '24.21.0', npm: HANGING}), HOME: root};
  const killed = start(join(root, 'bin', 'basin'), [], hanging, root);
  await killed.said('installing packages');
  process.kill(-killed.pid, 'SIGKILL');
  await killed.ended;
  expect(existsSync(join(root, 'node_modules'))).toBe(false);

  const next = await run(join(root, 'bin', 'basin'), ['x'], {
    ...hanging,
    PATH: makePath({node: '24.21.0', npm: 'real'}),
  });
  expect(next).toMatchObject({code: 0});
  expect(existsSync(join(root, 'bin', 'setup', 'node_modules'))).toBe(false);
  expect(existsSync(join(root, 'node_modules', '.basin', 'package-lock.json'))).toBe(true);
});

test('Ctrl-C while npm works ends with 130 and a sentence', async () => {
  const root = makeCheckout();
  const env = {
    PATH: makePath({node: '24.21.0', npm: 'mkdir -p node_modules/half; exec cat /dev/zero > /dev/null'}),
    HOME: root,
  };
  const stopped = start(join(root, 'bin', 'basin'), [], env, root);
  await stopped.said('installing packages');
  process.kill(-stopped.pid, 'SIGINT');
  const {code, stderr} = await stopped.ended;
  expect(stderr).toContain('the next start picks the set-up up');
  expect(code).toBe(130);
  expect(existsSync(join(root, 'node_modules'))).toBe(false);
});
