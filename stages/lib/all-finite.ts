/** Whether no value is infinite or not a number: float32 has all bits of the exponent set in those, and in those only. */
export function allFinite(values: Float32Array): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // by index: an iterator takes ten times as long, and networks are large
  for (let index = 0; index < words.length; index++)
    if (((words[index] ?? 0) & 0x7f800000) === 0x7f800000) return false;
  return true;
}
