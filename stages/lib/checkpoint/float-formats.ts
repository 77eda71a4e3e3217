/** Number formats that weights are stored in and that float32 holds exactly; bytes of one number. */
export const FLOAT_BYTES = {F32: 4, F16: 2, BF16: 2} as const;
export type FloatFormat = keyof typeof FLOAT_BYTES;

export const isFloatFormat = (name: string): name is FloatFormat => Object.hasOwn(FLOAT_BYTES, name);

/** An IEEE 754 half: 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Little-endian numbers of a format as float32; `bytes` starts its own buffer. */
export function toFloat32(format: FloatFormat, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  switch (format) {
    case 'F32':
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2), fromHalf);
    case 'BF16': {
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      const words = new Uint32Array(halves.length);
      halves.forEach((half, index) => {
        words[index] = half * 0x10000;
      });
      return new Float32Array(words.buffer);
    }
  }
}
