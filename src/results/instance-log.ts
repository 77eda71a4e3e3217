import {createReadStream} from 'node:fs';
import {createInterface} from 'node:readline';
import {z} from 'zod';
import {parsedLine, runLogs} from './run-logs.ts';

/** As much of a run's event as an instance's log is made of; other events of a run do not fit and are passed over. */
const entrySchema = z.object({
  event: z.enum(['instance-started', 'log', 'instance-finished']),
  id: z.string(),
  text: z.string().optional(),
  line: z.string().optional(),
  outcome: z.string().optional(),
  seconds: z.number().optional(),
  failure: z.object({message: z.string(), logTail: z.array(z.string()).optional()}).optional(),
});

/** Everything an instance wrote in the newest run that it ran in, and how it ended; empty when it never ran. */
export async function instanceLog(root: string, id: string): Promise<readonly string[]> {
  for (const {name, path} of await runLogs(root)) {
    const lines = await linesOf(path, id);
    if (lines.length > 0) return [`${name}:`, ...lines];
  }
  return [];
}

async function linesOf(path: string, id: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of createInterface({input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY})) {
    if (!line.includes(JSON.stringify(id))) continue;
    const entry = entrySchema.safeParse(parsedLine(line));
    if (!entry.success || entry.data.id !== id) continue;
    const {event, text, line: written, outcome, seconds = 0, failure} = entry.data;
    if (event === 'instance-started') found.push(`started: ${text}`);
    else if (event === 'log') found.push(`  ${written}`);
    else if (outcome !== 'cached') {
      found.push(`${outcome} after ${seconds.toFixed(1)} s`);
      if (failure) found.push(`  ${failure.message}`, ...(failure.logTail ?? []).map((tail) => `  │ ${tail}`));
    }
  }
  return found;
}
