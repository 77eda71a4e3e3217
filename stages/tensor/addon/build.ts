import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Edition, type Obstacle, obstacle, type SetupReporter} from '../backend.ts';
import {operationsObstacle} from '../fused/sources.ts';
import {atLeast, findProgram, glibcVersion} from '../machine.ts';
import {librariesId, setUpId, TENSORFLOW_VERSION} from '../versions.ts';
import {COMPILERS, compileAddon, compileOperations} from './compile.ts';
import {cudaObstacle, unpackCuda} from './cuda.ts';
import {type FileRecord, recordFiles, verifyFiles} from './file-records.ts';
import {ADDON_FILE, addonFolder, buildsFolder, downloadsFolder, librariesFolder} from './folder.ts';
import {unpackLibraries} from './libraries.ts';
import {type NvidiaDriver, nvidiaDriver} from './nvidia-driver.ts';
import {fetchWheel} from './wheel.ts';
import {wheelMachine} from './wheel-identity.ts';

/** The C library that TensorFlow's wheel asks for by its tag. */
const OLDEST_GLIBC = '2.27';

/** In an addon without our operations: why, as a clause. */
const LACKS_FILE = 'lacks-operations.txt';

/** A finished addon with the TensorFlow it needs. */
export interface Build {
  /** Paths are inside the folder of builds. */
  readonly files: readonly FileRecord[];
  /** Why our fused operations are not in it; nothing where they are. */
  readonly lacksOperations: string | undefined;
}

/** What stands in the way of a build on this machine, found without downloading anything. */
export function buildObstacle(
  edition: Edition = 'cpu',
  driver: NvidiaDriver | undefined = nvidiaDriver(),
): Obstacle | undefined {
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
  return edition === 'cuda' ? cudaObstacle(driver) : undefined;
}

const under = (folder: string, path: string): string => `${folder}/${path}`;

/** This machine's build, and its files that are not as they were built: missing, or another SHA-256. */
export async function verifyBuild(
  edition: Edition = 'cpu',
): Promise<(Build & {readonly damaged: readonly string[]}) | undefined> {
  const [addon, libraries] = await Promise.all([
    verifyFiles(addonFolder(edition)),
    verifyFiles(librariesFolder(edition)),
  ]);
  if (!addon || !libraries) return undefined;
  const lacks = addon.files.some(({path}) => path === LACKS_FILE);
  return {
    files: [
      ...addon.files.map((file) => ({...file, path: under(setUpId(edition), file.path)})),
      ...libraries.files.map((file) => ({...file, path: under(librariesId(edition), file.path)})),
    ],
    damaged: [...addon.damaged, ...libraries.damaged],
    lacksOperations: lacks ? await readFile(join(addonFolder(edition), LACKS_FILE), 'utf8').catch(() => '') : undefined,
  };
}

/** To download and on disk. */
const SIZES: Readonly<Record<Edition, string>> = {
  cpu: '274 MB to download, 640 MB on disk',
  cuda: '3.3 GB to download, 5.3 GB on disk',
};

/** TensorFlow's libraries where they are now: in their place, or just unpacked into `temporary`. */
async function readyLibraries(
  edition: Edition,
  temporary: string,
  report: SetupReporter,
): Promise<Result<string, Obstacle>> {
  if ((await verifyFiles(librariesFolder(edition)))?.damaged.length === 0) return ok(librariesFolder(edition));
  report.line(
    `Setting up the ${edition === 'cuda' ? 'CUDA' : 'native'} back end, once: TensorFlow ${TENSORFLOW_VERSION} (${SIZES[edition]}), then a minute of the compiler.`,
  );
  const wheel = await fetchWheel(edition, temporary, report);
  if (!wheel.ok) return wheel;
  const folder = join(temporary, 'libraries');
  const paths = [...(await unpackLibraries(wheel.value, folder, report))];
  if (edition === 'cuda') {
    const cuda = await unpackCuda(folder, temporary, report);
    if (!cuda.ok) return cuda;
    paths.push(...cuda.value);
  }
  await recordFiles(folder, paths);
  return ok(folder);
}

/** Compiles into `folder`; our operations are left out where they cannot be had, and a file says why. */
async function compile(
  edition: Edition,
  compiler: string,
  libraries: string,
  folder: string,
  without: string | undefined,
): Promise<Result<void, Obstacle>> {
  await mkdir(folder, {recursive: true});
  const obstacleToOperations = without ?? (edition === 'cuda' ? 'they are for processors' : operationsObstacle());
  const objects = obstacleToOperations
    ? fail(obstacleToOperations)
    : await compileOperations(compiler, join(libraries, 'include'), folder);
  const compiled = await compileAddon(compiler, {
    libraries,
    runPath: under('..', librariesId(edition)),
    objects: objects.ok ? objects.value : [],
    folder,
  });
  if (!compiled.ok) return compiled;
  if (!objects.ok) await writeFile(join(folder, LACKS_FILE), objects.error);
  await recordFiles(folder, [ADDON_FILE, ...(objects.ok ? [] : [LACKS_FILE])]);
  if (objects.ok) for (const object of objects.value) await rm(object);
  return compiled;
}

const TEMPORARY = '.tmp-';

async function replaceFolder(folder: string, target: string): Promise<void> {
  await rm(target, {recursive: true, force: true});
  await rename(folder, target);
}

/**
 * Makes this machine's addon, unless there is one whose every file is as it was built (with `again`, one that also has our operations).
 * `without` leaves our operations out, and is the reason. Call it under the set-up's lock: what lies in temporary folders is
 * then nobody's and is removed. Folders appear whole, by renaming.
 */
export async function buildAddon(
  edition: Edition,
  report: SetupReporter,
  {again = false, without}: {readonly again?: boolean; readonly without?: string} = {},
): Promise<Result<Build, Obstacle>> {
  const builds = buildsFolder();
  for (const name of await readdir(builds).catch(() => [])) {
    if (name.startsWith(TEMPORARY)) await rm(join(builds, name), {recursive: true, force: true});
  }
  // of before editions had folders of their own: nobody knows which it is
  const downloads = join(downloadsFolder(edition), '..');
  for (const name of await readdir(downloads).catch(() => [])) {
    if (name.endsWith('.whl')) await rm(join(downloads, name));
  }
  const existing = await verifyBuild(edition);
  const wanting = edition === 'cpu' && (without !== undefined || (again && existing?.lacksOperations !== undefined));
  if (existing?.damaged.length === 0 && !wanting) return ok(existing);
  if (existing && existing.damaged.length > 0)
    report.line(`The native addon in the cache is damaged (${existing.damaged.join(', ')}): building it anew.`);
  const before = buildObstacle(edition);
  if (before) return fail(before);
  const compiler = findProgram(COMPILERS);
  if (!compiler) throw new Error('Internal error: a build without a compiler passed its check');
  const temporary = join(builds, `${TEMPORARY}${process.pid}`);
  try {
    await mkdir(temporary, {recursive: true});
    const libraries = await readyLibraries(edition, temporary, report);
    if (!libraries.ok) return libraries;
    report.progress('Compiling the native addon', undefined);
    const folder = join(temporary, 'addon');
    const compiled = await compile(edition, compiler, libraries.value, folder, without);
    if (!compiled.ok) return compiled;
    if (libraries.value !== librariesFolder(edition)) await replaceFolder(libraries.value, librariesFolder(edition));
    await replaceFolder(folder, addonFolder(edition));
    await rm(downloadsFolder(edition), {recursive: true, force: true});
    const built = await verifyBuild(edition);
    if (!built) throw new Error('its files are gone');
    return ok(built);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(
      obstacle(`the native back end could not be built (${reason})`, '`basin setup` tries again to get the native one'),
    );
  } finally {
    await rm(temporary, {recursive: true, force: true});
  }
}
