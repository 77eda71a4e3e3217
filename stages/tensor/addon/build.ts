import {mkdir, open, readdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfFile} from '../../../src/base/digest.ts';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Obstacle, obstacle, type SetupReporter} from '../backend.ts';
import {atLeast, findProgram, glibcVersion} from '../machine.ts';
import type {FileRecord} from '../manifest.ts';
import {TENSORFLOW_VERSION} from '../versions.ts';
import {COMPILERS, compileAddon} from './compile.ts';
import {
  ADDON_FILE,
  addonFolder,
  buildsFolder,
  downloadsFolder,
  FILES_FILE,
  LIBRARIES,
  LIBRARY_FOLDER,
} from './folder.ts';
import {runProgram} from './program.ts';
import {fetchWheel} from './wheel.ts';
import {wheelMachine} from './wheel-identity.ts';
import {extractEntry, zipEntries} from './zip.ts';

/** The C library that TensorFlow's wheel asks for by its tag. */
const OLDEST_GLIBC = '2.27';

const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/'] as const;

/** What stands in the way of a build on this machine, found without downloading anything. */
export function buildObstacle(): Obstacle | undefined {
  if (!wheelMachine()) {
    return obstacle(
      `TensorFlow's libraries are not published for ${process.platform} ${process.arch}`,
      'Linux on x64 or arm64 has the native one',
    );
  }
  const glibc = glibcVersion();
  if (!glibc || !atLeast(glibc, OLDEST_GLIBC)) {
    return obstacle(
      glibc ? `the C library is glibc ${glibc}` : 'the C library is not glibc',
      `a Linux system with glibc ${OLDEST_GLIBC} or newer has the native one`,
    );
  }
  if (!findProgram(COMPILERS)) {
    return obstacle('no C++ compiler was found', '`apt install g++` and `basin setup` give the native one', COMPILERS);
  }
  return undefined;
}

/** Unpacks what the addon needs from the wheel into `folder`. */
async function unpack(wheel: string, folder: string, report: SetupReporter): Promise<void> {
  const file = await open(wheel);
  try {
    const entries = await zipEntries(file);
    const wanted = entries.flatMap((entry) => {
      const library = LIBRARIES.find((name) => entry.name === `tensorflow/${name}`);
      if (library) return [{entry, path: join(folder, LIBRARY_FOLDER, library)}];
      const header = /^tensorflow\/include\/(.*\.h)$/.exec(entry.name)?.[1];
      // A name that climbs out of the folder is no header of TensorFlow's.
      return header && !header.split('/').includes('..') && HEADERS.some((start) => header.startsWith(start))
        ? [{entry, path: join(folder, 'include', header)}]
        : [];
    });
    const total = wanted.reduce((sum, {entry}) => sum + entry.size, 0);
    let done = 0;
    for (const {entry, path} of wanted) {
      await extractEntry(file, entry, path, (bytes) => {
        done += bytes;
        report.progress('Unpacking TensorFlow', done / total);
      });
    }
  } finally {
    await file.close();
  }
}

async function recordFiles(folder: string): Promise<readonly FileRecord[]> {
  const paths = [ADDON_FILE, ...LIBRARIES.map((name) => `${LIBRARY_FOLDER}/${name}`)];
  return Promise.all(
    paths.map(async (path) => ({
      path,
      bytes: (await stat(join(folder, path))).size,
      sha256: await digestOfFile(join(folder, path)),
    })),
  );
}

function isFileRecord(value: unknown): value is FileRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    typeof value.path === 'string' &&
    'bytes' in value &&
    typeof value.bytes === 'number' &&
    'sha256' in value &&
    typeof value.sha256 === 'string'
  );
}

/** Files of a finished build and those of them that are not as they were built (missing, or another SHA-256). */
export async function verifyBuild(): Promise<{files: readonly FileRecord[]; damaged: readonly string[]} | undefined> {
  const folder = addonFolder();
  let files: unknown;
  try {
    files = JSON.parse(await readFile(join(folder, FILES_FILE), 'utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(files) || files.length === 0 || !files.every(isFileRecord)) return undefined;
  const states = await Promise.all(
    files.map(async ({path, sha256}) => (await digestOfFile(join(folder, path)).catch(() => '')) === sha256),
  );
  return {files, damaged: files.filter((_, i) => !states[i]).map(({path}) => path)};
}

const TEMPORARY = '.tmp-';

/**
 * Makes this machine's addon, unless there is one whose every file is as it was built. Call it under the set-up's lock:
 * what lies in temporary folders is then nobody's and is removed. The folder appears whole, by renaming.
 */
export async function buildAddon(report: SetupReporter): Promise<Result<readonly FileRecord[], Obstacle>> {
  const builds = buildsFolder();
  for (const name of await readdir(builds).catch(() => [])) {
    if (name.startsWith(TEMPORARY)) await rm(join(builds, name), {recursive: true, force: true});
  }
  const existing = await verifyBuild();
  if (existing?.damaged.length === 0) return ok(existing.files);
  if (existing)
    report.line(`The native addon in the cache is damaged (${existing.damaged.join(', ')}): building it anew.`);
  const before = buildObstacle();
  if (before) return fail(before);
  const compiler = findProgram(COMPILERS);
  if (!compiler) throw new Error('Internal error: a build without a compiler passed its check');

  report.line(
    `Setting up the native back end, once: TensorFlow ${TENSORFLOW_VERSION} (274 MB to download, 640 MB on disk), then one compiler run.`,
  );
  const temporary = join(builds, `${TEMPORARY}${process.pid}`);
  const folder = join(temporary, 'build');
  try {
    await mkdir(folder, {recursive: true});
    const wheel = await fetchWheel(downloadsFolder(), temporary, report);
    if (!wheel.ok) return wheel;
    await unpack(wheel.value, folder, report);
    report.progress('Compiling the native addon', undefined);
    const compiled = await compileAddon(compiler, folder);
    if (!compiled.ok) return compiled;
    // Symbols nobody asks for are a quarter of the libraries; a machine without strip keeps them.
    const strip = findProgram(['strip']);
    if (strip) {
      report.progress('Stripping TensorFlow', undefined);
      await runProgram(strip, ['--strip-unneeded', ...LIBRARIES.map((name) => join(folder, LIBRARY_FOLDER, name))]);
    }
    const files = await recordFiles(folder);
    await writeFile(join(folder, FILES_FILE), `${JSON.stringify(files, null, 2)}\n`);
    await rm(addonFolder(), {recursive: true, force: true});
    await rename(folder, addonFolder());
    await rm(wheel.value, {force: true});
    return ok(files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      obstacle(`the native back end could not be built (${reason})`, '`basin setup` tries again to get the native one'),
    );
  } finally {
    await rm(temporary, {recursive: true, force: true});
  }
}
