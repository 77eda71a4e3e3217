import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {linesOf, logsOfPipeline, parsedLine, type RunLogFile, runLogs} from './run-logs.ts';

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
    const found = entriesOf(log, id);
    if (found.lines.length > 0 && (key === undefined || (found.key ?? key) === key))
      return [`${log.name}:`, ...found.lines];
  }
  return key === undefined ? [] : logOfKey(root, key);
}

async function logOfKey(root: string, key: Key): Promise<readonly string[]> {
  for (const log of await runLogs(root)) {
    for (const id of idsOf(log, key)) {
      const {lines} = entriesOf(log, id);
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

function entriesOf(log: RunLogFile, id: string): {readonly lines: readonly string[]; readonly key: string | undefined} {
  const lines: string[] = [];
  let found: string | undefined;
  for (const line of linesOf(log)) {
    if (!line.includes(JSON.stringify(id))) continue;
    const entry = entrySchema.safeParse(parsedLine(line));
    if (!entry.success || entry.data.id !== id) continue;
    const {event, key, text, line: written, outcome, seconds = 0, failure} = entry.data;
    if (event === 'key') found = key;
    else if (event === 'instance-started') lines.push(`${STARTED}${text}`);
    else if (event === 'log') lines.push(`  ${written}`);
    else if (outcome !== 'cached') {
      lines.push(`${outcome} after ${seconds.toFixed(1)} s`);
      if (failure) lines.push(`  ${failure.message}`, ...(failure.logTail ?? []).map((tail) => `  │ ${tail}`));
    }
  }
  return {lines, key: found};
}
