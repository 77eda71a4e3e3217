/**
 * Bits are packed eight weights a byte, weight 8k + i in bit i of byte k (Arrow's bitmap order, numpy's
 * `unpackbits(bitorder="little")`); what the last byte has over is 0. A mask is then a 32nd of its float32 weights.
 */
export function packBits(bits: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(bits.length / 8));
  for (let index = 0; index < bits.length; index++)
    if (bits[index] === 1) packed[index >>> 3] = (packed[index >>> 3] ?? 0) | (1 << (index & 7));
  return packed;
}

export function unpackBits(packed: Uint8Array, count: number): Uint8Array {
  const bits = new Uint8Array(count);
  for (let index = 0; index < count; index++) bits[index] = ((packed[index >>> 3] ?? 0) >>> (index & 7)) & 1;
  return bits;
}
