import {readSync} from 'node:fs';

const PIECE = 4 * 2 ** 20;
/** No line of ours is as long; what has no end for so long is passed over. */
const LONGEST = 16 * 2 ** 20;

/** Some lines of a file, and where the last of them ends. */
export interface WholeLines {
  readonly lines: readonly string[];
  readonly to: number;
}

/** The lines of an open file from a place on, by pieces: it may be longer than a string can be. A line still being written waits for its end. */
export function* wholeLines(file: number, from: number): Generator<WholeLines> {
  const piece = Buffer.alloc(PIECE);
  let rest = Buffer.alloc(0);
  for (let at = from; ; ) {
    const length = readSync(file, piece, 0, PIECE, at);
    if (length === 0) return;
    at += length;
    const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
    const end = bytes.lastIndexOf(0x0a);
    rest = bytes.subarray(end + 1);
    if (end >= 0) yield {lines: bytes.toString('utf8', 0, end).split('\n'), to: at - rest.length};
    if (rest.length > LONGEST) rest = Buffer.alloc(0);
  }
}
