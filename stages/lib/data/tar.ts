import {StageError} from '../../../src/stage/define-stage.ts';

const BLOCK = 512;

interface TarEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The regular files of a tar archive (POSIX.1-1988 ustar; extended headers are skipped, links and folders too), each handed
 * out as soon as it is complete. Files that `wanted` refuses are not held in memory. A path is text only: nothing
 * is written here.
 */
export async function* readTar(
  stream: AsyncIterable<Uint8Array>,
  wanted: (path: string, size: number) => boolean,
): AsyncGenerator<TarEntry> {
  let rest: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  let skip = 0;
  let open: {readonly path: string; readonly bytes: Uint8Array; filled: number; readonly padding: number} | undefined;
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (open) {
        const taken = Math.min(rest.length, open.bytes.length - open.filled);
        open.bytes.set(rest.subarray(0, taken), open.filled);
        open.filled += taken;
        rest = rest.subarray(taken);
        if (open.filled < open.bytes.length) break;
        yield {path: open.path, bytes: open.bytes};
        skip = open.padding;
        open = undefined;
      }
      const skipped = Math.min(skip, rest.length);
      rest = rest.subarray(skipped);
      skip -= skipped;
      if (skip > 0 || rest.length < BLOCK) break;
      const header = readHeader(rest.subarray(0, BLOCK));
      rest = rest.subarray(BLOCK);
      if (!header) continue; // a block of zeros: the end mark, or padding after it
      const padding = (BLOCK - (header.size % BLOCK)) % BLOCK;
      if (header.regular && wanted(header.path, header.size)) {
        open = {path: header.path, bytes: new Uint8Array(header.size), filled: 0, padding};
      } else {
        skip = header.size + padding;
      }
    }
  }
  if (open || skip > 0) throw new StageError('The archive ends inside a file.', 'Fetch it again.');
}

function readHeader(block: Uint8Array): {path: string; size: number; regular: boolean} | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = (from: number, length: number): string => {
    const field = Buffer.from(block.subarray(from, from + length));
    const end = field.indexOf(0);
    return field.toString('latin1', 0, end < 0 ? length : end);
  };
  const octal = (from: number, length: number): number => Number.parseInt(text(from, length).trim() || '0', 8);
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 32 : (block[index] ?? 0);
  const size = octal(124, 12);
  if (sum !== octal(148, 8) || !Number.isSafeInteger(size) || size < 0) {
    throw new StageError('The archive has a damaged header.', 'Fetch it again.');
  }
  const prefix = text(257, 5) === 'ustar' ? text(345, 155) : '';
  const type = text(156, 1);
  return {path: prefix ? `${prefix}/${text(0, 100)}` : text(0, 100), size, regular: type === '' || type === '0'};
}
