import {randomBytes} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {downloadFromIndex} from '../../stages/tensor/addon/package-index.ts';
import {chosenIndex} from '../../stages/tensor/addon/pip-index.ts';
import {wheelMachine} from '../../stages/tensor/addon/wheel-identity.ts';
import {serveWheel} from './package-server.ts';
import {listening, scratchFolder, setEnv} from './scratch-cache.ts';

const wheel = randomBytes(100_000);

test.runIf(wheelMachine()).for(['json', 'html'] as const)(
  'a wheel is found on an index in its %s form and downloaded',
  async (form) => {
    setEnv('PIP_INDEX_URL', `${await serveWheel({wheel, form})}/`);
    const fetched = await downloadFromIndex('cpu', scratchFolder(), listening());
    if (!fetched.ok) throw new Error(fetched.error);
    expect(readFileSync(fetched.value).equals(wheel)).toBe(true);
  },
);

test.runIf(wheelMachine())('a wheel that is not the one the index names is refused', async () => {
  setEnv('PIP_INDEX_URL', await serveWheel({wheel, digest: '0'.repeat(64)}));
  expect(await downloadFromIndex('cpu', scratchFolder(), listening())).toMatchObject({
    ok: false,
    error: expect.stringContaining('SHA-256'),
  });
});

test('an index that cannot be reached is a reason', async () => {
  setEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
  expect(await downloadFromIndex('cpu', scratchFolder(), listening())).toMatchObject({
    ok: false,
    error: expect.stringMatching(/fetch failed|bad port/),
  });
});

test("the index is the one of pip's settings, and where none is set nothing is fetched", async () => {
  const folder = scratchFolder();
  setEnv('PIP_INDEX_URL', undefined);
  setEnv('HOME', folder);
  setEnv('XDG_CONFIG_HOME', undefined);
  setEnv('XDG_CONFIG_DIRS', folder);
  setEnv('PIP_CONFIG_FILE', join(folder, 'pip.conf'));
  writeFileSync(join(folder, 'pip.conf'), '[global]\ntimeout = 60\nindex-url = http://127.0.0.1:9/mine\n');
  expect(chosenIndex()).toBe('http://127.0.0.1:9/mine');
  writeFileSync(join(folder, 'pip.conf'), '[global]\ntimeout = 60\n');
  if (!existsSync('/etc/pip.conf')) expect(chosenIndex()).toBeUndefined();
});
