import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import type {SetupReporter} from '../backend.ts';
import {runProgram, tellingLine} from './program.ts';
import {wheelMachine} from './wheel-identity.ts';

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

/** Names of the C libraries that wheels are tagged with, newest first. */
const POLICIES = ['_2_27', '_2_17', '2014', '_2_12', '2010'];

/**
 * Has pip fetch a wheel into an empty folder, so that the user's mirrors, proxies and certificates hold. Any Python 3 will do: its tags
 * are given. `done` and `total` are bytes, for progress; an error is a clause.
 */
export async function downloadWithPip(
  python: string,
  {project, version, folder}: {readonly project: string; readonly version: string; readonly folder: string},
  report: SetupReporter,
  {done, total}: {readonly done: number; readonly total: number},
): Promise<Result<string, string>> {
  const watch = setInterval(async () => {
    report.progress('Downloading TensorFlow with pip', Math.min(1, (done + (await folderBytes(folder))) / total));
  }, 300);
  try {
    const {outcome, said} = await runProgram(
      python,
      [
        ...['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir', '--progress-bar=off'],
        ...['--implementation=cp', '--python-version=3.11', '--abi=cp311'],
        ...POLICIES.map((policy) => `--platform=manylinux${policy}_${wheelMachine()}`),
        ...[`--dest=${folder}`, `${project}==${version}`],
      ],
      {TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_INPUT: '1'},
    );
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    return outcome === 0 && wheel ? ok(join(folder, wheel)) : fail(tellingLine(said));
  } finally {
    clearInterval(watch);
  }
}
