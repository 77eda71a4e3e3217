import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {instructionSet} from './machine.ts';

const require = createRequire(import.meta.url);

/** TensorFlow whose shared libraries the addon is linked with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Raised when what set-up builds or tests changes, so that nobody keeps an older result. */
const RECIPE = 1;

/** Number of our own kernels' generation in each back end; it is a part of every tensor stage's key. */
const KERNELS = {tensorflow: 0, wasm: 2, cpu: 0} as const;

/** Version of an installed package, from its manifest. */
function packageVersion(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8'));
  if (typeof manifest === 'object' && manifest && 'version' in manifest && typeof manifest.version === 'string') {
    return manifest.version;
  }
  throw new Error(`Internal error: package ${name} has no version`);
}

/** Names everything a set-up depends on: where any of it differs, another set-up is needed. */
export const setUpId = (): string =>
  [
    `tfjs${packageVersion('@tensorflow/tfjs-node-gpu')}`,
    `tf${TENSORFLOW_VERSION}`,
    process.platform,
    process.arch,
    instructionSet(),
    `r${RECIPE}`,
  ].join('-');

/** Id of a back end's numbers for keys: who computes, how it executes, precision, our kernels. */
export function numericsOf(backend: keyof typeof KERNELS): string {
  const version = backend === 'tensorflow' ? TENSORFLOW_VERSION : packageVersion(packageNames[backend]);
  const form = backend === 'tensorflow' ? 'captured' : 'eager';
  return `${backend}-${version}/${form}/fp32/k${KERNELS[backend]}`;
}

const packageNames = {wasm: '@tensorflow/tfjs-backend-wasm', cpu: '@tensorflow/tfjs-backend-cpu'} as const;
