import {existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {installPinned, makeCheckout, makePath, run, scratchFolder, writeLock} from './checkout.ts';

const told = (stdout: string): {args: string[]; node: string; cwd: string; cache: string} => JSON.parse(stdout);

test('a bare clone sets itself up and starts the command line in the folder it was called from', async () => {
  const root = makeCheckout();
  const [cwd, home] = [realpathSync(scratchFolder()), scratchFolder()];
  const env = {PATH: makePath({node: '24.21.0', npm: 'real'}), HOME: home};
  const first = await run(join(root, 'bin', 'basin'), ['run', 'a file.yaml', '--json'], env, cwd);
  expect(first.stderr).toContain('packages (about 650 MB on disk)');
  expect(first).toMatchObject({code: 0});
  expect(told(first.stdout)).toMatchObject({
    args: ['run', 'a file.yaml', '--json'],
    cwd,
    cache: join(home, '.cache', 'basin', 'compile'),
  });
});

test('a second start says nothing and needs neither npm nor a network', async () => {
  const root = makeCheckout();
  const both = makePath({node: '24.21.0', npm: 'real'});
  await run(join(root, 'bin', 'basin'), [], {PATH: both, HOME: root});
  rmSync(join(both, 'npm'));
  const second = await run(join(root, 'bin', 'basin'), ['plan'], {PATH: both, HOME: root});
  expect(second).toMatchObject({code: 0, stderr: ''});
  expect(told(second.stdout).args).toEqual(['plan']);
});

test('the launcher finds its checkout through a chain of links, absolute and relative', async () => {
  const root = makeCheckout();
  const env = {PATH: makePath({node: '24.21.0', npm: 'real'}), HOME: root};
  const folder = scratchFolder();
  symlinkSync(join(root, 'bin', 'basin'), join(folder, 'absolute'));
  mkdirSync(join(folder, 'in'));
  symlinkSync('../absolute', join(folder, 'in', 'relative'));
  expect(await run(join(folder, 'in', 'relative'), [], env)).toMatchObject({code: 0});
  expect(await run('./relative', [], env, join(folder, 'in'))).toMatchObject({code: 0, stderr: ''});
});

test("a user's Node that is too old is replaced by the pinned one, a new one is kept", async () => {
  const root = makeCheckout();
  const pinned = installPinned(root);
  const old = makePath({node: '20.20.2', npm: 'real'});
  const withOld = await run(join(root, 'bin', 'basin'), [], {PATH: old, HOME: root});
  expect(withOld.code).toBe(0);
  expect(realpathSync(told(withOld.stdout).node)).toBe(realpathSync(pinned));
  expect(withOld.stderr).not.toContain('189 MB');

  // The checkout is prepared; another Node first on the PATH is a new decision, and takes no npm.
  const recent = makePath({node: '26.1.0'});
  const withRecent = await run(join(root, 'bin', 'basin'), [], {PATH: recent, HOME: root});
  expect(withRecent).toMatchObject({code: 0, stderr: ''});
  expect(told(withRecent.stdout).node).toBe(join(recent, 'node'));
  const oldAgain = await run(join(root, 'bin', 'basin'), [], {PATH: old, HOME: root});
  expect(realpathSync(told(oldAgain.stdout).node)).toBe(realpathSync(pinned));
});

test('without any Node on the PATH the pinned one serves, and without that the message says what to install', async () => {
  const root = makeCheckout();
  const PATH = makePath({npm: 'real'});
  const none = await run(join(root, 'bin', 'basin'), [], {PATH, HOME: root});
  expect(none).toMatchObject({code: 1, stdout: ''});
  expect(none.stderr).toContain('Install Node 20 or newer with npm');
  installPinned(root);
  expect(await run(join(root, 'bin', 'basin'), [], {PATH, HOME: root})).toMatchObject({code: 0});
});

test('an edited lock file means another installation', async () => {
  const root = makeCheckout();
  const PATH = makePath({node: '24.21.0', npm: 'real'});
  await run(join(root, 'bin', 'basin'), [], {PATH, HOME: root});
  mkdirSync(join(root, 'one'));
  writeFileSync(join(root, 'one', 'package.json'), '{"name":"one","version":"1.2.3"}');
  // What npm lists as present is compared with the lock: this package is missing, so npm is asked for it, and fails.
  writeLock(root, {'node_modules/one': {version: '1.2.3', integrity: `sha512-${'A'.repeat(86)}==`}}, {one: '1.2.3'});
  const offline = {npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0'};
  const after = await run(join(root, 'bin', 'basin'), [], {PATH, HOME: root, ...offline});
  expect(after.code).toBe(1);
  expect(after.stderr).toContain('npm could not install the packages');
  expect(after.stderr).toContain('registry was not reached (ECONNREFUSED)');
  expect(after.stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(join(root, 'node_modules'))).toBe(true); // what was there is kept until the new is whole
});

test('without npm the message says so, in one exit code and no stack', async () => {
  const root = makeCheckout();
  writeLock(root, {'node_modules/one': {version: '1.2.3'}}, {one: '1.2.3'});
  const ended = await run(join(root, 'bin', 'basin-node'), ['-p', '1'], {
    PATH: makePath({node: '24.21.0'}),
    HOME: root,
  });
  expect(ended).toMatchObject({code: 1, stdout: ''});
  expect(ended.stderr).toContain('npm was not found on the PATH');
  expect(ended.stderr).not.toMatch(/\n\s+at /);
});
