/** The wheel whose TensorFlow libraries are used: those for the processor only. */
export const WHEEL_PROJECT = 'tensorflow-cpu';

/** Size of the download, for progress and for what is said before. */
export const WHEEL_BYTES = 274_000_000;

/** SHA-256 of wheels that we have seen and built with; for any other, that which its index gives is trusted. */
export const KNOWN_WHEELS: Readonly<Record<string, string>> = {
  'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl':
    '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
};

/** Python's name of this machine, as in a wheel's tags; nothing where TensorFlow has no wheel of this kind. */
export function wheelMachine(): 'x86_64' | 'aarch64' | undefined {
  if (process.platform !== 'linux') return undefined;
  if (process.arch === 'x64') return 'x86_64';
  return process.arch === 'arm64' ? 'aarch64' : undefined;
}
