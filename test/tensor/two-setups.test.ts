import {spawn} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {COMPILERS} from '../../stages/tensor/addon/compile.ts';
import {buildsFolder} from '../../stages/tensor/addon/folder.ts';
import {wheelMachine} from '../../stages/tensor/addon/wheel-identity.ts';
import {findProgram} from '../../stages/tensor/machine.ts';
import {readManifest} from '../../stages/tensor/manifest.ts';
import {serveWheel} from './package-server.ts';
import {setEnv, useEmptyCache, usePathOf} from './scratch-cache.ts';

const compiles = wheelMachine() !== undefined && findProgram(COMPILERS) !== undefined;

/** A set-up in a process of its own, with this test's environment. */
function setUpElsewhere() {
  const program = `import {setUp} from ${JSON.stringify(join(import.meta.dirname, '../../stages/tensor/setup.ts'))};
const manifest = await setUp({report: {line: (text) => console.error(text), progress: () => {}}});
console.log(JSON.stringify(manifest));`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{code: number | null; stdout: string; stderr: string}>((resolve) => {
    child.on('close', (code) => resolve({code, stdout, stderr}));
  });
  /** Resolves when it has written a text, rejects when it ends without. */
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      child.stderr.on('data', () => stderr.includes(text) && resolve());
      child.on('close', () => reject(new Error(`It never said: ${text}`)));
    });
  return {child, ended, said};
}

test('two set-ups at once both end with the same result', async () => {
  useEmptyCache();
  usePathOf();
  const [one, two] = await Promise.all([setUpElsewhere().ended, setUpElsewhere().ended]);
  expect(one).toMatchObject({code: 0});
  expect(two).toMatchObject({code: 0});
  expect(one.stdout).toBe(two.stdout);
  expect(`${one.stderr}${two.stderr}`).toMatch(/^(Another set-up is running; waiting for it.\n)?$/);
  expect(await readManifest()).toEqual(JSON.parse(one.stdout));
});

test.runIf(compiles)(
  'a set-up waits for another; when that is killed in its download, it goes on and sweeps',
  async () => {
    useEmptyCache();
    usePathOf(...COMPILERS);
    const halfWay = Promise.withResolvers<void>();
    setEnv('PIP_INDEX_URL', await serveWheel({wheel: Buffer.alloc(1e6), stall: () => halfWay.resolve()}));
    const first = setUpElsewhere();
    await halfWay.promise;

    setEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
    const second = setUpElsewhere();
    await second.said('Another set-up is running; waiting for it.');
    expect(await readManifest()).toBeUndefined();
    expect(readdirSync(buildsFolder()).filter((name) => name.startsWith('.tmp-'))).toHaveLength(1);

    first.child.kill('SIGKILL');
    await first.ended;
    expect(await second.ended).toMatchObject({code: 0});
    expect(await readManifest()).toMatchObject({backend: 'wasm'});
    expect(readdirSync(buildsFolder())).toEqual([]);
  },
);
