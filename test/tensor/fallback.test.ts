import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {COMPILERS} from '../../stages/tensor/addon/compile.ts';
import {addonFolder, buildsFolder, downloadsFolder, librariesFolder} from '../../stages/tensor/addon/folder.ts';
import {wheelMachine} from '../../stages/tensor/addon/wheel-identity.ts';
import {doctor, formatDoctor} from '../../stages/tensor/doctor.ts';
import {findProgram} from '../../stages/tensor/machine.ts';
import {readManifest} from '../../stages/tensor/manifest.ts';
import {setUp} from '../../stages/tensor/setup.ts';
import {serveWheel, zipOf} from './package-server.ts';
import {listening, scratchFolder, setEnv, useEmptyCache, usePathOf} from './scratch-cache.ts';

const linux = wheelMachine() !== undefined;
const compiles = linux && findProgram(COMPILERS) !== undefined;

test.runIf(linux)(
  'without a compiler wasm is set up, and one line says why and how to get the faster one',
  async () => {
    useEmptyCache();
    const path = usePathOf('python3');
    expect(await readManifest()).toBeUndefined();
    const manifest = await setUp({report: listening()});
    expect(manifest).toMatchObject({
      backend: 'wasm',
      numerics: expect.stringMatching(/^wasm-\d+\.\d+\.\d+\/eager\/fp32\/k\d+$/),
    });
    expect(manifest.line).toBe(
      'wasm back end: no C++ compiler was found; `apt install g++` and `basin setup` give the native one, about 5 times faster',
    );
    expect(existsSync(addonFolder())).toBe(false);

    // The failed attempt is remembered until what was missing is there.
    expect(await readManifest()).toEqual(manifest);
    writeFileSync(join(path, 'c++'), '', {mode: 0o755});
    expect(await readManifest()).toBeUndefined();
  },
);

test('a chosen back end that cannot be had is an error with a hint, a chosen one that can is taken', async () => {
  useEmptyCache();
  usePathOf();
  await expect(setUp({choice: 'tensorflow', report: listening()})).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^The tensorflow back end cannot be had: .*\.$/),
    hint: expect.stringMatching(/native one\.$/),
  });
  const manifest = await setUp({choice: 'cpu', report: listening()});
  expect(manifest).toMatchObject({backend: 'cpu', line: 'cpu back end, as asked'});
  expect(await readManifest('cpu')).toEqual(manifest);
  expect(await readManifest('wasm')).toBeUndefined();
});

test.runIf(compiles)(
  'a wheel that does not build is a reason to take wasm, and leaves nothing behind but itself',
  async () => {
    useEmptyCache();
    usePathOf(...COMPILERS, 'as', 'ld', 'cc');
    setEnv('PIP_INDEX_URL', await serveWheel({wheel: zipOf({'tensorflow/libtensorflow_cc.so.2': 'no library'})}));
    mkdirSync(join(buildsFolder(), '.tmp-1'), {recursive: true});
    mkdirSync(downloadsFolder(), {recursive: true});
    writeFileSync(join(downloadsFolder(), `${'0'.repeat(64)}.whl`), 'cut off'); // not what its name says
    const manifest = await setUp({report: listening()});
    expect(manifest.backend).toBe('wasm');
    expect(manifest.line).toContain('compiling the native addon failed');
    expect(readdirSync(buildsFolder())).toEqual(['downloads']);
    expect(readdirSync(downloadsFolder())).toHaveLength(1);
  },
);

test.runIf(compiles)(
  'with neither Python nor a network the line says that the download failed and what would help',
  async () => {
    useEmptyCache();
    usePathOf(...COMPILERS);
    setEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
    const {line, backend} = await setUp({report: listening()});
    expect(backend).toBe('wasm');
    expect(line).toMatch(/could not be downloaded \(HTTPS: .*Python with pip and a network .* give the native one/);
  },
);

/** Puts a file where the built addon is, and another where its libraries are, with the checksums of a finished build. */
function placeAddon(content: Buffer): void {
  const place = (folder: string, name: string, bytes: Buffer): void => {
    mkdirSync(folder, {recursive: true});
    writeFileSync(join(folder, name), bytes);
    writeFileSync(
      join(folder, 'files.json'),
      JSON.stringify([{path: name, bytes: bytes.length, sha256: digestOf(bytes)}]),
    );
  };
  place(addonFolder(), 'tfjs_binding.node', content);
  place(librariesFolder(), 'library', Buffer.from('a library'));
}

test.runIf(compiles)('an addon that crashes its process is no error either', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'trap.cc'), '__attribute__((constructor)) static void trap() { __builtin_trap(); }');
  const compiler = findProgram(COMPILERS) ?? '';
  execFileSync(compiler, ['-shared', '-fPIC', '-o', join(folder, 'trap.node'), join(folder, 'trap.cc')]);
  useEmptyCache();
  usePathOf();
  placeAddon(readFileSync(join(folder, 'trap.node')));
  const {backend, line} = await setUp({report: listening()});
  expect(backend).toBe('wasm');
  expect(line).toMatch(/did not pass its test \(SIG\w+ in "loading"\)/);
});

test('a cache folder that cannot be written to is an error with a hint', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'file'), '');
  setEnv('XDG_CACHE_HOME', join(folder, 'file'));
  await expect(setUp({report: listening()})).rejects.toMatchObject({
    name: 'UserError',
    hint: expect.stringContaining('XDG_CACHE_HOME'),
  });
});

test.runIf(linux)('an addon that does not load is no error: the next back end is taken', async () => {
  useEmptyCache();
  usePathOf();
  const content = 'not a shared library';
  placeAddon(Buffer.from(content));
  const manifest = await setUp({report: listening()});
  expect(manifest).toMatchObject({backend: 'wasm', refusals: [{backend: 'tensorflow'}]});
  expect(manifest.line).toMatch(/did not pass its test \(exit 1 in "loading": .*tfjs_binding/);

  // One byte changes: the size is right, the checksum is not.
  writeFileSync(join(addonFolder(), 'tfjs_binding.node'), content.replace('n', 'N'));
  const report = await doctor();
  expect(report.ok).toBe(false);
  expect(formatDoctor(report)).toMatch(/BAD +native addon +not as it was built: tfjs_binding\.node/);
});
