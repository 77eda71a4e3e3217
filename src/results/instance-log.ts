import {createReadStream} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {z} from 'zod';

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
  const runs = join(root, 'runs');
  const names = await readdir(runs).catch(() => []);
  // Names begin with the time of the run, so that the last in order is the newest.
  for (const name of names
    .filter((one) => /^\d.*\.jsonl$/.test(one))
    .sort()
    .reverse()) {
    const lines = await linesOf(join(runs, name), id);
    if (lines.length > 0) return [`${name}:`, ...lines];
  }
  return [];
}

async function linesOf(path: string, id: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of createInterface({input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY})) {
    if (!line.includes(JSON.stringify(id))) continue;
    const entry = entrySchema.safeParse(parsed(line));
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

/** The last line of a run that was killed may be cut. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
