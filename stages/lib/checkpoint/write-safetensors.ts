import {open} from 'node:fs/promises';
import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import {littleEndian} from '../../../src/artifact/little-endian.ts';

/** The header's end, so that the data behind it starts at a multiple of this. */
const ALIGNMENT = 8;

function headerOf(tensors: readonly NamedTensor[]): Buffer {
  const header: Record<string, object> = {__metadata__: {format: 'pt'}};
  let end = 0;
  for (const {name, shape, values} of tensors) {
    const begin = end;
    end += values.byteLength;
    header[name] = {dtype: 'F32', shape, data_offsets: [begin, end]};
  }
  const text = JSON.stringify(header);
  const bytes = Buffer.byteLength(text);
  return Buffer.from(text + ' '.repeat((ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT));
}

/** Writes tensors, sorted by name, as the safetensors library does for torch: equal tensors are equal bytes. */
export async function writeSafetensors(path: string, tensors: readonly NamedTensor[]): Promise<void> {
  const header = headerOf(tensors);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  const file = await open(path, 'w');
  try {
    await file.writeFile(Buffer.concat([length, header]));
    for (const {values} of tensors) await file.writeFile(littleEndian(values));
  } finally {
    await file.close();
  }
}
