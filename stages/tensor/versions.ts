import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {digestOf} from '../../src/base/digest.ts';
import {CUDA_WHEELS} from './addon/cuda-wheels.ts';
import {type BackendName, type Edition, editionOf} from './backend.ts';
import {operationsDigest} from './fused/sources.ts';
import {instructionSet} from './machine.ts';

const require = createRequire(import.meta.url);

/** TensorFlow whose shared libraries the addon is linked with. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Raised when what set-up builds or tests changes, so that nobody keeps an older result. */
const RECIPE = 5;

/** Raised when other files are taken out of TensorFlow's wheel; it is fetched again then. */
const UNPACKING = 2;

/** Generation of our own kernels in the other back ends; it is a part of every tensor stage's key. */
const KERNELS = {wasm: 2, cpu: 0} as const;

/** Version of an installed package, from its manifest. */
function packageVersion(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8'));
  if (typeof manifest === 'object' && manifest && 'version' in manifest && typeof manifest.version === 'string') {
    return manifest.version;
  }
  throw new Error(`Internal error: package ${name} has no version`);
}

/** Characters of the digest of our operations that stand for it. */
const DIGEST_LENGTH = 8;

const system = `${process.platform}-${process.arch}`;

/** Names TensorFlow's libraries and headers as they are unpacked. */
export const librariesId = (edition: Edition): string =>
  [`tf${TENSORFLOW_VERSION}`, ...(edition === 'cuda' ? ['cuda', cudaDigest()] : []), system, `r${UNPACKING}`].join('-');

/** NVIDIA's libraries, by their digest: they compute, so their versions are in the keys. */
const cudaDigest = (): string => digestOf(JSON.stringify(CUDA_WHEELS)).slice(0, DIGEST_LENGTH);

/**
 * Names everything a set-up depends on: where any of it differs, another set-up is needed. The compiler is not in it, so that what is
 * built goes on working when that is removed or updated.
 */
export const setUpId = (edition: Edition = 'cpu'): string =>
  [
    `tfjs${packageVersion('@tensorflow/tfjs-node-gpu')}`,
    `tf${TENSORFLOW_VERSION}`,
    system,
    instructionSet(),
    `r${RECIPE}`,
    operationsDigest().slice(0, DIGEST_LENGTH),
    ...(edition === 'cuda' ? ['cuda', cudaDigest()] : []),
  ].join('-');

/** Id of a back end's numbers for keys: who computes, how it executes, precision, our kernels (`operations`: those of fused/native). */
export function numericsOf(backend: BackendName, operations: boolean): string {
  const form = editionOf(backend) === undefined ? 'eager' : 'captured';
  return `${backend}-${versionOf(backend)}/${form}/fp32/k${kernelsOf(backend, operations)}`;
}

const versionOf = (backend: BackendName): string =>
  backend === 'wasm' || backend === 'cpu' ? packageVersion(packageNames[backend]) : TENSORFLOW_VERSION;

function kernelsOf(backend: BackendName, operations: boolean): string | number {
  switch (backend) {
    case 'cuda':
      return cudaDigest();
    case 'tensorflow':
      return operations ? operationsDigest().slice(0, DIGEST_LENGTH) : 0;
    case 'wasm':
    case 'cpu':
      return KERNELS[backend];
  }
}

const packageNames = {wasm: '@tensorflow/tfjs-backend-wasm', cpu: '@tensorflow/tfjs-backend-cpu'} as const;
