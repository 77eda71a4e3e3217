import {endianness} from 'node:os';

const NATIVE = endianness() === 'LE';

/** The bytes of float32 values, least significant first: a view where the machine stores them so. */
export function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return NATIVE ? bytes : Buffer.from(bytes).swap32();
}

/** The values of little-endian bytes; a view where the machine stores them so and they lie on a multiple of four. */
export function fromLittleEndian(bytes: Uint8Array): Float32Array {
  if (NATIVE && bytes.byteOffset % 4 === 0)
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const copy = Uint8Array.from(bytes);
  if (!NATIVE) Buffer.from(copy.buffer).swap32();
  return new Float32Array(copy.buffer);
}
