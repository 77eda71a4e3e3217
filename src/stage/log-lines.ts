import {StringDecoder} from 'node:string_decoder';

/** Of a line that is told while a program runs. */
export const LONGEST_TOLD = 2_000;
/** What is told at once, and how much more each second: a program may write faster than anybody reads, for days. */
const AT_ONCE = 2 ** 20;
const EACH_SECOND = 2 ** 11;
/** After a gap so much is told together, since a line here and a line there say little. */
const AFTER_A_GAP = 2 ** 16;
/** What the event of a line takes besides the line. */
const AROUND_A_LINE = 64;
const LAST_LINES = 20;

const [NEWLINE, RETURN] = [0x0a, 0x0d];

/** Takes bytes as they come and gives the lines that they end. */
export interface LineSplitter {
  split(bytes: Uint8Array): readonly string[];
  /** The line that nothing ended, if there is one. */
  rest(): readonly string[];
}

/** Lines for people: ended by a newline, a return or both, each of at most so many bytes, so that a line of any length takes no memory. */
export function lineSplitter(longest: number): LineSplitter {
  const kept = Buffer.alloc(longest);
  let length = 0;
  let afterReturn = false;
  const take = (bytes: Uint8Array): void => {
    if (length < longest) kept.set(bytes.subarray(0, longest - length), length);
    length += bytes.length;
  };
  const line = (): string => {
    const text =
      length <= longest
        ? kept.toString('utf8', 0, length)
        : // A character that was cut would be another one.
          `${new StringDecoder('utf8').write(kept)}… (${length - longest} more bytes)`;
    length = 0;
    return text;
  };
  /** Of lines that have no return and of which none can be too long: many at once. */
  const splitShort = (bytes: Uint8Array): readonly string[] => {
    const from = afterReturn && bytes[0] === NEWLINE ? 1 : 0;
    afterReturn &&= bytes.length === 0;
    const first = bytes.indexOf(NEWLINE, from);
    take(bytes.subarray(from, first < 0 ? bytes.length : first));
    if (first < 0) return [];
    const ended = line();
    const last = bytes.lastIndexOf(NEWLINE);
    take(bytes.subarray(last + 1));
    if (last === first) return [ended];
    const between = Buffer.from(bytes.buffer, bytes.byteOffset + first + 1, last - first - 1);
    return [ended, ...between.toString('utf8').split('\n')];
  };
  return {
    split: (bytes) => {
      if (bytes.length <= longest && !bytes.includes(RETURN)) return splitShort(bytes);
      const lines: string[] = [];
      let from = 0;
      for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at];
        if (byte === NEWLINE && afterReturn) from = at + 1;
        else if (byte === NEWLINE || byte === RETURN) {
          take(bytes.subarray(from, at));
          lines.push(line());
          from = at + 1;
        }
        afterReturn = byte === RETURN;
      }
      take(bytes.subarray(from));
      return lines;
    },
    rest: () => (length > 0 ? [line()] : []),
  };
}

/** Tells lines as long as they are not too many, and at the end the last ones in any case. */
export interface LineTeller {
  line(line: string): void;
  end(): void;
  /** The last lines, told or not. */
  readonly tail: readonly string[];
}

/** @param now In seconds, of any clock that only goes on. */
export function lineTeller(tell: (line: string) => void, now: () => number): LineTeller {
  const tail: string[] = [];
  let untold = 0;
  let explained = false;
  let left = AT_ONCE;
  let before = now();
  const closeGap = (lines: number): void => {
    if (lines > 0) tell(explained ? `(${lines} lines left out)` : `(${lines} lines left out: ${EXPLANATION})`);
    if (lines > 0) explained = true;
    untold = 0;
  };
  return {
    tail,
    line: (line) => {
      const time = now();
      left = Math.min(AT_ONCE, left + (time - before) * EACH_SECOND);
      before = time;
      const cost = line.length + AROUND_A_LINE;
      if (left >= (untold > 0 ? AFTER_A_GAP : cost)) {
        closeGap(untold);
        left -= cost;
        tell(line);
      } else untold += 1;
      tail.push(line);
      if (tail.length > LAST_LINES) tail.shift();
    },
    end: () => {
      const last = untold === 0 ? [] : tail.slice(-untold);
      closeGap(untold - last.length);
      for (const line of last) tell(line);
    },
  };
}

const EXPLANATION = 'it writes more than is told here; its artifact "log" has all of it once it has ended well';
