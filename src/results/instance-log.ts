import {statSync} from 'node:fs';
import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {recordPath} from '../store/store-layout.ts';
import {
  linesOf,
  logsOfPipeline,
  logsUntilKnown,
  NEWEST_LOGS,
  parsedLine,
  type RunLogFile,
  runLogs,
} from './run-logs.ts';

/** As much of a run's event as an instance's log is made of; other events of a run do not fit and are passed over. */
const entrySchema = z.object({
  event: z.enum(['instance-started', 'log', 'instance-finished', 'key']),
  id: z.string(),
  key: z.string().optional(),
  text: z.string().optional(),
  line: z.string().optional(),
  outcome: z.string().optional(),
  seconds: z.number().optional(),
  failure: z.object({message: z.string(), logTail: z.array(z.string()).optional()}).optional(),
});

const STARTED = 'started: ';

/**
 * Everything an instance wrote in the newest run of its pipeline that it ran in, and how it ended. Of a stored result it is the run that gave it, in
 * whichever pipeline and under whichever name. Empty when there is none.
 *
 * @param key That of the stored result.
 */
export async function instanceLog(
  root: string,
  pipeline: PipelinePlace,
  id: string,
  key: Key | undefined,
): Promise<readonly string[]> {
  for await (const log of logsOfPipeline(root, pipeline)) {
    const found = entriesOf(log, new Set([id])).get(id);
    if (found && found.lines.length > 0 && (key === undefined || (found.key ?? key) === key))
      return [`${log.name}:`, ...found.lines];
  }
  return key === undefined ? [] : logOfKey(root, key);
}

async function logOfKey(root: string, key: Key): Promise<readonly string[]> {
  for (const log of await runLogs(root)) {
    for (const id of idsOf(log, key)) {
      const {lines = []} = entriesOf(log, new Set([id])).get(id) ?? {};
      if (lines.some((line) => line.startsWith(STARTED))) return [`${log.name}:`, ...lines];
    }
  }
  return [];
}

/** The instances that had a key in a run. */
function idsOf(log: RunLogFile, key: Key): readonly string[] {
  const found: string[] = [];
  for (const line of linesOf(log)) {
    const entry = line.includes(key) ? entrySchema.safeParse(parsedLine(line)).data : undefined;
    if (entry?.event === 'key' && entry.key === key) found.push(entry.id);
  }
  return found;
}

/**
 * Everything instances wrote in the newest run of their pipeline that they ran in, of those where that ended badly and came after the result that is stored.
 *
 * @param keys Those of the stored results.
 */
export async function failedSince(
  root: string,
  pipeline: PipelinePlace,
  keys: ReadonlyMap<string, Key>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const failed = new Map<string, readonly string[]>();
  const unknown = new Map(keys);
  for await (const log of logsUntilKnown(unknown, root, pipeline, NEWEST_LOGS)) {
    for (const [id, {lines, outcome, key: then}] of entriesOf(log, unknown)) {
      const key = unknown.get(id);
      if (key === undefined || (then ?? key) !== key || !lines.some((line) => line.startsWith(STARTED))) continue;
      unknown.delete(id);
      if (outcome !== 'ran' && timeOf(log.path) >= timeOf(recordPath(root, key)))
        failed.set(id, [`${log.name}:`, ...lines]);
    }
  }
  return failed;
}

/** By the clock of the disk that both lie on. */
const timeOf = (path: string): number => statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0;

interface Entries {
  readonly lines: readonly string[];
  readonly key?: string | undefined;
  readonly outcome?: string | undefined;
}

/** What a log says of one of these instances or more. */
function entriesOf(
  log: RunLogFile,
  ids: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys' | 'size'>,
): ReadonlyMap<string, Entries> {
  const found = new Map<string, {lines: string[]; key?: string | undefined; outcome?: string | undefined}>();
  const [only] = ids.size === 1 ? ids.keys() : [];
  const mark = only === undefined ? '"id":' : JSON.stringify(only);
  for (const line of linesOf(log)) {
    if (!line.includes(mark)) continue;
    const entry = entrySchema.safeParse(parsedLine(line));
    if (!entry.success || !ids.has(entry.data.id)) continue;
    const {event, id, key, text, line: written, outcome, seconds = 0, failure} = entry.data;
    const entries = found.get(id) ?? {lines: []};
    found.set(id, entries);
    if (event === 'key') entries.key = key;
    else if (event === 'instance-started') entries.lines.push(`${STARTED}${text}`);
    else if (event === 'log') entries.lines.push(`  ${written}`);
    else if (outcome !== 'cached') {
      entries.outcome = outcome;
      entries.lines.push(`${outcome} after ${seconds.toFixed(1)} s`);
      if (failure) entries.lines.push(`  ${failure.message}`, ...(failure.logTail ?? []).map((tail) => `  │ ${tail}`));
    }
  }
  return found;
}
