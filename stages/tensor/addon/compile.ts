import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Obstacle, obstacle} from '../backend.ts';
import {ADDON_FILE, LIBRARIES, LIBRARY_FOLDER} from './folder.ts';
import {runProgram, tellingLine} from './program.ts';

const require = createRequire(import.meta.url);

/** Compilers that can build the addon, best known first. */
export const COMPILERS = ['g++', 'c++', 'clang++'] as const;

/** Folder of an installed package. */
const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

/**
 * Compiles tfjs-node-gpu's addon from the sources in its package against TensorFlow's libraries and headers, which are in
 * `folder` already. The result finds the libraries beside itself wherever the folder is moved.
 */
export async function compileAddon(compiler: string, folder: string): Promise<Result<void, Obstacle>> {
  const sources = join(packageFolder('@tensorflow/tfjs-node-gpu'), 'binding');
  const {outcome, said} = await runProgram(compiler, [
    ...['-O2', '-std=c++17', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-Dmodule_name=tfjs_binding'],
    `-I${join(packageFolder('node-api-headers'), 'include')}`,
    `-I${join(folder, 'include')}`,
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(sources, name)),
    ...['-o', join(folder, ADDON_FILE), `-L${join(folder, LIBRARY_FOLDER)}`],
    ...LIBRARIES.map((name) => `-l:${name}`),
    `-Wl,-rpath,$ORIGIN/${LIBRARY_FOLDER}`,
  ]);
  if (outcome === 0) return ok(undefined);
  return fail(
    obstacle(
      `compiling the native addon failed (${tellingLine(said)})`,
      'a working C++17 compiler (`apt install g++`) and `basin setup` give the native one',
    ),
  );
}
