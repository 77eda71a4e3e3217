import {appendFileSync, closeSync, mkdirSync, openSync, writeSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {storeError, systemCode} from './store-error.ts';

/** A run's events, one JSON object a line, each whole on disk before the call returns. */
export interface RunLog {
  readonly path: string;
  append(entry: object): void;
  close(): void;
}

/** A new file in `runs/`; a name that is taken gets a number. */
export function openRunLog(runs: string, name: string, root: string): RunLog {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '') || 'run';
  try {
    mkdirSync(runs, {recursive: true});
    for (let number = 1; ; number++) {
      const path = join(runs, number === 1 ? `${safe}.jsonl` : `${safe}-${number}.jsonl`);
      const file = openNew(path);
      if (file === undefined) continue;
      let open = true;
      return {
        path,
        append: (entry) => {
          try {
            if (open) writeSync(file, `${JSON.stringify(entry)}\n`);
          } catch (error) {
            throw storeError(error, 'write the log of a run to', root);
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
    return openSync(path, 'ax');
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Adds lines to a file that several processes add to: one write, so that lines never mix. */
export function appendLines(path: string, entries: readonly object[]): void {
  mkdirSync(dirname(path), {recursive: true});
  appendFileSync(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}
