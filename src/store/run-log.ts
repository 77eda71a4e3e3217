import {appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {LONGEST_FILE_NAME} from '../base/longest-file-name.ts';
import {openToAdd} from './own-file.ts';
import {FILE_MODE, FOLDER_MODE} from './rights.ts';
import {StoreError, storeError, systemCode} from './store-error.ts';

/** A run's events, one JSON object a line, each whole on disk before the call returns. */
export interface RunLog {
  readonly path: string;
  /** What goes wrong with the disk is told once, in the answer; from then on nothing is written. */
  append(entry: object): StoreError | undefined;
  close(): void;
}

/** A new file in `runs/`; a name that is taken gets a number. */
export function openRunLog(runs: string, name: string, root: string): RunLog {
  const safe =
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^\.+/, '')
      .slice(0, LONGEST_FILE_NAME) || 'run';
  try {
    mkdirSync(runs, {recursive: true, mode: FOLDER_MODE});
    for (let number = 1; ; number++) {
      const path = join(runs, number === 1 ? `${safe}.jsonl` : `${safe}-${number}.jsonl`);
      const file = openNew(path);
      if (file === undefined) continue;
      let open = true;
      let failed = false;
      return {
        path,
        append: (entry) => {
          if (!open || failed) return undefined;
          try {
            // Unlike one write, this goes on after a short one, so that a full disk shows.
            appendFileSync(file, `${JSON.stringify(entry)}\n`);
            return undefined;
          } catch (error) {
            const told = storeError(error, 'write the log of a run to', root);
            if (!(told instanceof StoreError)) throw told;
            failed = true;
            return told;
          }
        },
        close: () => {
          if (open) closeSync(file);
          open = false;
        },
      };
    }
  } catch (error) {
    throw storeError(error, 'write the log of a run to', root);
  }
}

function openNew(path: string): number | undefined {
  try {
    return openSync(path, 'ax', FILE_MODE);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Adds lines to a file that several processes add to: one write, so that lines never mix; a line that was cut is ended first. */
export function appendLines(path: string, entries: readonly object[]): void {
  mkdirSync(dirname(path), {recursive: true, mode: FOLDER_MODE});
  const file = openToAdd(path);
  try {
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    appendFileSync(file, endsCut(file) ? `\n${lines}` : lines);
  } finally {
    closeSync(file);
  }
}

/** A full disk took half a line. */
function endsCut(file: number): boolean {
  const {size} = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
}
