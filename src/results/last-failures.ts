import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {parsedLine, runLogs} from './run-logs.ts';

const endedSchema = z.object({
  event: z.literal('instance-finished'),
  id: z.string(),
  outcome: z.string(),
  failure: z.object({message: z.string()}).optional(),
});

/** What ended these instances badly when they were last part of a run, by id; those that ended well are not there. */
export async function lastFailures(root: string, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const open = new Set(ids);
  for (const {path} of await runLogs(root)) {
    if (open.size === 0) break;
    for (const line of (await readFile(path, 'utf8')).split('\n').reverse()) {
      const ended = line.includes('"instance-finished"') ? endedSchema.safeParse(parsedLine(line)).data : undefined;
      if (!ended || !open.delete(ended.id)) continue;
      if (ended.outcome === 'failed') failures.set(ended.id, ended.failure?.message ?? 'It failed.');
      if (ended.outcome === 'skipped')
        failures.set(ended.id, 'It was skipped: something before it failed, or the run was stopped.');
    }
  }
  return failures;
}
