import {readFileSync} from 'node:fs';

type Layout = Record<string, {dtype: string; shape: number[]; data_offsets: [number, number]}>;

/** Tensors of a trusted file by name, read without the reader under test. */
export function trustedTensors(path: URL): Record<string, {shape: number[]; values: Float32Array | Int32Array}> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const {__metadata__: _, ...layout} = JSON.parse(file.toString('utf8', 8, start));
  const entries: [string, Layout[string]][] = Object.entries(layout);
  return Object.fromEntries(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const {buffer} = Uint8Array.from(file.subarray(start + begin, start + end));
        return [name, {shape, values: dtype === 'I32' ? new Int32Array(buffer) : new Float32Array(buffer)}];
      },
    ),
  );
}

/** A safetensors file of any header text and data, however wrong. */
export function safetensorsFile(header: string, data: Uint8Array, claimed = Buffer.byteLength(header)): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed));
  return Buffer.concat([length, Buffer.from(header), data]);
}
