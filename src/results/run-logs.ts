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

/** As an ISO time without its colons, which some systems have in no name. */
const TIME_OF_RUN = /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)-/;

/**
 * How the log of a run that starts now is named. Where a clock was set back, or two machines differ, it is a millisecond later than the newest
 * there is, so that the run that started last is the last in order.
 */
export async function runLogName(root: string, pipeline: string): Promise<string> {
  const [newest] = await runLogs(root);
  const [, day, hours, minutes, seconds] = newest ? (TIME_OF_RUN.exec(newest.name) ?? []) : [];
  const last = Date.parse(`${day}T${hours}:${minutes}:${seconds}`);
  const time = last >= Date.now() ? last + 1 : Date.now();
  return `${new Date(time).toISOString().replaceAll(':', '')}-${pipeline}`;
}

/** An event of a log; nothing for a line that is cut, as the last one of a run that was killed may be. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
