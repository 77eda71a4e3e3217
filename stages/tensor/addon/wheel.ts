import {mkdir, readdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfFile} from '../../../src/base/digested-files.ts';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Edition, type Obstacle, obstacle, type SetupReporter} from '../backend.ts';
import {findProgram} from '../machine.ts';
import {TENSORFLOW_VERSION} from '../versions.ts';
import {downloadsFolder} from './folder.ts';
import {downloadFromIndex} from './package-index.ts';
import {downloadWithPip, PYTHONS} from './pip-download.ts';
import {KNOWN_WHEELS, TENSORFLOW_WHEELS} from './wheel-identity.ts';

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
 * Brings TensorFlow's wheel into the edition's downloads, with pip where there is one, else over HTTPS from the index set for pip; `scratch` takes
 * what is on its way. The result's name is its SHA-256, so that a next set-up can reuse it.
 */
export async function fetchWheel(
  edition: Edition,
  scratch: string,
  report: SetupReporter,
): Promise<Result<string, Obstacle>> {
  const downloads = downloadsFolder(edition);
  const kept = await keptWheel(downloads);
  if (kept) return ok(kept);
  const failures: string[] = [];
  let wheel: string | undefined;
  const python = findProgram(PYTHONS);
  if (python) {
    const folder = join(scratch, 'pip');
    await mkdir(folder, {recursive: true});
    const {project, bytes} = TENSORFLOW_WHEELS[edition];
    const wanted = {project, version: TENSORFLOW_VERSION, folder};
    const fetched = await downloadWithPip(python, wanted, report, {done: 0, total: bytes});
    if (fetched.ok) wheel = fetched.value;
    else failures.push(`pip: ${fetched.error}`);
  }
  if (!wheel) {
    const fetched = await downloadFromIndex(edition, scratch, report);
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
