import {createRequire} from 'node:module';
import {availableParallelism} from 'node:os';
import {basename, dirname, join} from 'node:path';
import PQueue from 'p-queue';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Obstacle, obstacle} from '../backend.ts';
import {operationSources} from '../fused/sources.ts';
import {ADDON_FILE, LIBRARIES, LIBRARY_FOLDER} from './folder.ts';
import {runProgram, tellingLine} from './program.ts';

const require = createRequire(import.meta.url);

/** Compilers that can build the addon, best known first. */
export const COMPILERS = ['g++', 'c++', 'clang++'] as const;

/** Folder of an installed package. */
const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

/**
 * How our operations are compiled. Their accuracy rests on IEEE arithmetic as it is written, but for products that are added to
 * in one rounding: never -ffast-math.
 */
export const OPERATION_FLAGS = [
  ...['-O3', '-march=native', '-std=c++17', '-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math'],
] as const;

/** Compiles our operations to objects in `folder` and returns them; an error is a clause. */
export async function compileOperations(
  compiler: string,
  headers: string,
  folder: string,
): Promise<Result<readonly string[], string>> {
  const queue = new PQueue({concurrency: availableParallelism()});
  const compiled = await Promise.all(
    operationSources().map(async (source) => {
      const object = join(folder, `${basename(source, '.cc')}.o`);
      const run = () => runProgram(compiler, [...OPERATION_FLAGS, '-fPIC', `-I${headers}`, '-c', source, '-o', object]);
      return {object, ...(await queue.add(run))};
    }),
  );
  const failed = compiled.find(({outcome}) => outcome !== 0);
  if (failed) return fail(`the compiler failed on ${basename(failed.object, '.o')}.cc (${tellingLine(failed.said)})`);
  return ok(compiled.map(({object}) => object));
}

/**
 * Compiles tfjs-node-gpu's addon from the sources in its package against TensorFlow, which is in `libraries` now, together with
 * `objects`. The result finds TensorFlow at `runPath`, from its own folder, wherever both are moved.
 */
export async function compileAddon(
  compiler: string,
  {
    libraries,
    runPath,
    objects,
    folder,
  }: {libraries: string; runPath: string; objects: readonly string[]; folder: string},
): Promise<Result<void, Obstacle>> {
  const sources = join(packageFolder('@tensorflow/tfjs-node-gpu'), 'binding');
  const {outcome, said} = await runProgram(compiler, [
    ...['-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-Dmodule_name=tfjs_binding'],
    `-I${join(packageFolder('node-api-headers'), 'include')}`,
    `-I${join(libraries, 'include')}`,
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources, name)),
    ...objects,
    ...['-o', join(folder, ADDON_FILE), `-L${join(libraries, LIBRARY_FOLDER)}`],
    ...LIBRARIES.map((name) => `-l:${name}`),
    `-Wl,-rpath,$ORIGIN/${runPath}/${LIBRARY_FOLDER}`,
  ]);
  if (outcome === 0) return ok(undefined);
  return fail(
    obstacle(
      `compiling the native addon failed (${tellingLine(said)})`,
      'a working C++17 compiler (`apt install g++`) and `basin setup` give the native one',
    ),
  );
}
