import {closeSync, openSync} from 'node:fs';
import {open, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {wholeLines} from '../store/whole-lines.ts';

export interface RunLogFile {
  readonly name: string;
  readonly path: string;
}

/** The logs of a store's runs, the newest first. */
export async function runLogs(root: string): Promise<readonly RunLogFile[]> {
  const runs = join(root, 'runs');
  const names = (await readdir(runs).catch(() => [])).filter((name) => /^\d.*\.jsonl$/.test(name));
  // Names begin with the time of the run, so that the last in order is the newest.
  return names
    .sort()
    .reverse()
    .map((name) => ({name, path: join(runs, name)}));
}

/** A log by what it says of itself at its beginning: the pipeline that ran; older ones have its name alone. */
const headSchema = z.union([
  z.object({event: z.literal('pipeline'), place: z.string()}),
  z.object({event: z.literal('run-started'), pipeline: z.string()}),
]);
/** Of a log; its first line is as long as a path. */
const HEAD_BYTES = 8192;

/** The logs of a pipeline's runs, the newest first, among all or the newest of a store; a log that nobody asks for is not opened. */
export async function* logsOfPipeline(
  root: string,
  {place, name}: PipelinePlace,
  newest = Number.POSITIVE_INFINITY,
): AsyncIterable<RunLogFile> {
  for (const log of (await runLogs(root)).slice(0, newest)) {
    // `cache gc` may remove one at any time.
    const head = headSchema.safeParse(parsedLine(await firstLine(log.path).catch(() => ''))).data;
    if (head !== undefined && ('place' in head ? head.place === place : head.pipeline === name)) yield log;
  }
}

/** As many of the newest logs as are looked through where all of them would keep a person waiting. */
export const NEWEST_LOGS = 20;

/** As `logsOfPipeline`, for as long as who looks through them has left any unknown. */
export async function* logsUntilKnown(
  unknown: {readonly size: number},
  ...asked: Parameters<typeof logsOfPipeline>
): AsyncIterable<RunLogFile> {
  if (unknown.size === 0) return;
  for await (const log of logsOfPipeline(...asked)) {
    yield log;
    if (unknown.size === 0) return;
  }
}

async function firstLine(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const {buffer, bytesRead} = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead).split('\n', 1)[0] ?? '';
  } finally {
    await file.close();
  }
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

/** The lines of a log, which may be longer than a string can be. */
export function* linesOf({path}: RunLogFile): Generator<string> {
  const file = openSync(path, 'r');
  try {
    for (const {lines} of wholeLines(file, 0)) yield* lines;
  } finally {
    closeSync(file);
  }
}

/** An event of a log; nothing for a line that is cut, as the last one of a run that was killed may be. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
