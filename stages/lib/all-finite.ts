/** Whether no value is infinite or not a number: float32 has all bits of the exponent set in those, and in those only. */
export function allFinite(values: Float32Array): boolean {
  for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length))
    if ((word & 0x7f800000) === 0x7f800000) return false;
  return true;
}
