import type {Edition} from '../backend.ts';

/** A wheel whose TensorFlow libraries are used, and its bytes, for progress and for what is said before. */
export const TENSORFLOW_WHEELS: Readonly<Record<Edition, {readonly project: string; readonly bytes: number}>> = {
  cpu: {project: 'tensorflow-cpu', bytes: 274_000_000},
  cuda: {project: 'tensorflow', bytes: 572_000_000},
};

/** SHA-256 of wheels that we have seen and built with; for any other, that which its index gives is trusted. */
export const KNOWN_WHEELS: Readonly<Record<string, string>> = {
  'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl':
    '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl':
    '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
};

/** Python's name of this machine, as in a wheel's tags; nothing where TensorFlow has no wheel of this kind. */
export function wheelMachine(): 'x86_64' | 'aarch64' | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return 'x86_64';
  return process.arch === 'arm64' ? 'aarch64' : undefined;
}
