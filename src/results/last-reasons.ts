import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {linesOf, logsUntilKnown, parsedLine, type RunLogFile} from './run-logs.ts';

const entrySchema = z.discriminatedUnion('event', [
  z.object({event: z.literal('instance-started'), id: z.string(), text: z.string()}),
  z.object({event: z.literal('instance-finished'), id: z.string(), outcome: z.string()}),
  z.object({event: z.literal('key'), id: z.string(), key: z.string()}),
]);

interface Started {
  readonly text: string;
  readonly outcome?: string;
  readonly key?: string;
}

/**
 * Why these instances ran when they last did with the key that they have, by id, as the logs of their pipeline tell; those whose result was there already, or came
 * from elsewhere, are not there.
 */
export async function lastReasons(
  root: string,
  pipeline: PipelinePlace,
  keys: ReadonlyMap<string, Key>,
): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  const unknown = new Set(keys.keys());
  for await (const log of logsUntilKnown(unknown, root, pipeline)) {
    for (const [id, {text, outcome, key}] of startedIn(log, unknown)) {
      if (outcome !== 'ran' || key !== keys.get(id)) continue;
      reasons.set(id, text);
      unknown.delete(id);
    }
  }
  return reasons;
}

function startedIn(log: RunLogFile, ids: ReadonlySet<string>): ReadonlyMap<string, Started> {
  const started = new Map<string, Started>();
  for (const line of linesOf(log)) {
    // Most lines are of what was cached.
    if (!/"event":"(instance-started|key)"|"outcome":"ran"/.test(line)) continue;
    const entry = entrySchema.safeParse(parsedLine(line)).data;
    if (!entry || !ids.has(entry.id)) continue;
    const before = started.get(entry.id);
    if (entry.event === 'instance-started') started.set(entry.id, {text: entry.text});
    else if (before) started.set(entry.id, {...before, ...entry});
  }
  return started;
}
