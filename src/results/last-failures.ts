import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {logsOfPipeline, parsedLine} from './run-logs.ts';

const entrySchema = z.union([
  z.object({
    event: z.literal('instance-finished'),
    id: z.string(),
    outcome: z.string(),
    failure: z.object({message: z.string()}).optional(),
  }),
  z.object({event: z.literal('key'), id: z.string(), key: z.string()}),
]);

/**
 * What ended these instances badly when they were last part of a run of this pipeline, by id; those that ended well are not there, nor those that were
 * something else then.
 *
 * @param keys The key that each has now, where that is known.
 */
export async function lastFailures(
  root: string,
  pipeline: PipelinePlace,
  keys: ReadonlyMap<string, Key | undefined>,
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const open = new Set(keys.keys());
  for (const {path} of open.size === 0 ? [] : await logsOfPipeline(root, pipeline)) {
    if (open.size === 0) break;
    // A log ends with the keys, so that they are read first.
    const then = new Map<string, string>();
    for (const line of (await readFile(path, 'utf8')).split('\n').reverse()) {
      const entry = /"event":"(instance-finished|key)"/.test(line)
        ? entrySchema.safeParse(parsedLine(line)).data
        : undefined;
      if (entry?.event === 'key') then.set(entry.id, entry.key);
      if (entry?.event !== 'instance-finished' || !open.delete(entry.id)) continue;
      const {id, outcome, failure} = entry;
      const [key, before] = [keys.get(id), then.get(id)];
      if (key !== undefined && before !== undefined && key !== before) continue;
      if (outcome === 'failed') failures.set(id, failure?.message ?? 'It failed.');
      if (outcome === 'skipped')
        failures.set(id, 'It was skipped: something before it failed, or the run was stopped.');
    }
  }
  return failures;
}
