import {StageError} from '../../../src/stage/define-stage.ts';
import {type DataFile, refuseGzip} from './checked-file.ts';

/**
 * Reads an IDX file of unsigned bytes (LeCun, Cortes, Burges: magic 0x00000800 + rank, big-endian uint32 sizes, then the
 * values in C order). The values share the file's memory. What does not fit is a StageError.
 */
export function readIdx(
  file: DataFile,
  rank: number,
): {readonly sizes: readonly number[]; readonly values: Uint8Array} {
  refuseGzip(file);
  const {name, bytes} = file;
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    throw new StageError(
      `${name} ends inside its header: it has ${bytes.length} of ${header} bytes.`,
      'Fetch it again.',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = 0x0800 + rank;
  if (magic !== expected) {
    throw new StageError(
      `${name} starts with ${hex(magic)}, but an IDX file of unsigned bytes with ${rank} ${rank === 1 ? 'dimension' : 'dimensions'} starts with ${hex(expected)}.`,
      magic === PICTURES || magic === LABELS
        ? `It is a file of ${magic === LABELS ? 'labels' : 'pictures'} under another name: give the files their own names.`
        : 'It is damaged, or no IDX file at all: fetch it again.',
    );
  }
  const sizes = Array.from({length: rank}, (_, axis) => view.getUint32(4 + 4 * axis));
  const promised = sizes.reduce((product, size) => product * size, 1);
  const found = bytes.length - header;
  if (promised !== found) {
    throw new StageError(
      `${name} promises ${sizes.join(' × ')} = ${promised} values and holds ${found}.`,
      found < promised ? 'It is cut short: fetch it again.' : 'Something was added to it: fetch it again.',
    );
  }
  return {sizes, values: bytes.subarray(header)};
}

const LABELS = 0x0801;
const PICTURES = 0x0803;

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
