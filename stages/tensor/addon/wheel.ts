import {mkdir, readdir, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfFile} from '../../../src/base/digested-files.ts';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Obstacle, obstacle, type SetupReporter} from '../backend.ts';
import {findProgram} from '../machine.ts';
import {TENSORFLOW_VERSION} from '../versions.ts';
import {downloadFromIndex} from './package-index.ts';
import {runProgram, tellingLine} from './program.ts';
import {KNOWN_WHEELS, WHEEL_BYTES, WHEEL_PROJECT, wheelMachine} from './wheel-identity.ts';

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for (const entry of await readdir(folder, {recursive: true, withFileTypes: true})) {
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
  } catch {
    // pip moves and removes its files while we look
  }
  return bytes;
}

/** Has pip fetch the wheel, so that the user's mirrors, proxies and certificates hold. Any Python 3 will do: its tags are given. */
async function downloadWithPip(python: string, folder: string, report: SetupReporter): Promise<Result<string, string>> {
  const machine = wheelMachine();
  const watch = setInterval(async () => {
    report.progress('Downloading TensorFlow with pip', Math.min(1, (await folderBytes(folder)) / WHEEL_BYTES));
  }, 300);
  try {
    const {outcome, said} = await runProgram(
      python,
      [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir', '--progress-bar=off'],
        ...['--implementation=cp', '--python-version=3.11', '--abi=cp311'],
        ...['2_27', '2_17', '2014'].map(
          (policy) => `--platform=manylinux${policy === '2014' ? '' : '_'}${policy}_${machine}`,
        ),
        ...[`--dest=${folder}`, `${WHEEL_PROJECT}==${TENSORFLOW_VERSION}`],
      ],
      {TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1'},
    );
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    return outcome === 0 && wheel ? ok(join(folder, wheel)) : fail(tellingLine(said));
  } finally {
    clearInterval(watch);
  }
}

/** A wheel that an earlier, interrupted set-up had fetched whole; its name is its digest, which is checked. */
async function keptWheel(downloads: string): Promise<string | undefined> {
  for (const name of await readdir(downloads).catch(() => [])) {
    const path = join(downloads, name);
    if (name.endsWith('.whl') && `${await digestOfFile(path)}.whl` === name) return path;
    await rm(path, {recursive: true, force: true});
  }
  return undefined;
}

/**
 * Brings TensorFlow's wheel into `downloads`, with pip where there is one, else over HTTPS from the index set for pip; `scratch` takes what is on its
 * way. The result's name is its SHA-256, so that a next set-up can reuse it.
 */
export async function fetchWheel(
  downloads: string,
  scratch: string,
  report: SetupReporter,
): Promise<Result<string, Obstacle>> {
  const kept = await keptWheel(downloads);
  if (kept) return ok(kept);
  const failures: string[] = [];
  let wheel: string | undefined;
  const python = findProgram(['python3', 'python']);
  if (python) {
    const folder = join(scratch, 'pip');
    await mkdir(folder, {recursive: true});
    const fetched = await downloadWithPip(python, folder, report);
    if (fetched.ok) wheel = fetched.value;
    else failures.push(`pip: ${fetched.error}`);
  }
  if (!wheel) {
    const fetched = await downloadFromIndex(scratch, report);
    if (fetched.ok) wheel = fetched.value;
    else failures.push(`HTTPS: ${fetched.error}`);
  }
  if (!wheel) {
    return fail(
      obstacle(
        `TensorFlow's wheel could not be downloaded (${failures.join('; ')})`,
        'Python with pip and a network (or PIP_INDEX_URL, a package index) and `basin setup` give the native one',
      ),
    );
  }
  const digest = await digestOfFile(wheel);
  const known = KNOWN_WHEELS[wheel.slice(wheel.lastIndexOf('/') + 1)];
  if (known !== undefined && known !== digest) {
    return fail(
      obstacle(
        'the downloaded TensorFlow wheel is not the published one (its SHA-256 differs)',
        'a package index that serves the published file and `basin setup` give the native one',
      ),
    );
  }
  await mkdir(downloads, {recursive: true});
  const target = join(downloads, `${digest}.whl`);
  await rename(wheel, target);
  return ok(target);
}
