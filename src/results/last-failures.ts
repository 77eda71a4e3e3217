import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {linesOf, logsOfPipeline, parsedLine, type RunLogFile} from './run-logs.ts';

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
  for (const log of open.size === 0 ? [] : await logsOfPipeline(root, pipeline)) {
    if (open.size === 0) break;
    for (const [id, {finished, key: before}] of lastOf(log, open)) {
      if (!finished) continue;
      open.delete(id);
      const key = keys.get(id);
      if (key !== undefined && before !== undefined && key !== before) continue;
      if (finished.outcome === 'failed') failures.set(id, finished.failure?.message ?? 'It failed.');
      if (finished.outcome === 'skipped')
        failures.set(id, 'It was skipped: something before it failed, or the run was stopped.');
    }
  }
  return failures;
}

type Finished = Extract<z.infer<typeof entrySchema>, {readonly event: 'instance-finished'}>;

/** How these instances ended in a run, and which key they had; the last word of the log on each counts. */
function lastOf(log: RunLogFile, ids: ReadonlySet<string>) {
  const last = new Map<string, {readonly finished?: Finished; readonly key?: string}>();
  for (const line of linesOf(log)) {
    if (!/"event":"(instance-finished|key)"/.test(line)) continue;
    const entry = entrySchema.safeParse(parsedLine(line)).data;
    if (!entry || !ids.has(entry.id)) continue;
    last.set(entry.id, {
      ...last.get(entry.id),
      ...(entry.event === 'key' ? {key: entry.key} : {finished: entry}),
    });
  }
  return last;
}
