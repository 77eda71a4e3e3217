import {readdir} from 'node:fs/promises';
import {join} from 'node:path';

/** The logs of a store's runs, the newest first. */
export async function runLogs(root: string): Promise<readonly {readonly name: string; readonly path: string}[]> {
  const runs = join(root, 'runs');
  const names = (await readdir(runs).catch(() => [])).filter((name) => /^\d.*\.jsonl$/.test(name));
  // Names begin with the time of the run, so that the last in order is the newest.
  return names
    .sort()
    .reverse()
    .map((name) => ({name, path: join(runs, name)}));
}

/** An event of a log; nothing for a line that is cut, as the last one of a run that was killed may be. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
