import {open} from 'node:fs/promises';
import {z} from 'zod';
import type {Key} from '../base/digest.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {failedAbove} from '../plan/failed-above.ts';
import type {Failed} from '../plan/make-plan.ts';
import {some} from '../plan/reason-text.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import {linesOf, logsUntilKnown, NEWEST_LOGS, parsedLine} from './run-logs.ts';

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
 * @param graph What tells whether one that was skipped is below one that failed; without it both are said.
 */
export async function lastFailures(
  root: string,
  pipeline: PipelinePlace,
  keys: ReadonlyMap<string, Key | undefined>,
  graph?: Graph,
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>();
  const unknown = new Set(keys.keys());
  const instances = new Map(graph && unknown.size > 0 ? graph.instances.map((one) => [String(one.id), one]) : []);
  for await (const log of logsUntilKnown(unknown, root, pipeline)) {
    const last = lastOf(linesOf(log), graph ? undefined : unknown);
    for (const [id, {finished, key: before}] of last) {
      if (!finished || !unknown.delete(id)) continue;
      const key = keys.get(id);
      if (key !== undefined && before !== undefined && key !== before) continue;
      if (finished.outcome === 'failed') failures.set(id, finished.failure?.message ?? 'It failed.');
      if (finished.outcome === 'skipped') failures.set(id, whySkipped(instances.get(id), last, graph));
    }
  }
  return failures;
}

function whySkipped(instance: Instance | undefined, last: ReturnType<typeof lastOf>, graph: Graph | undefined): string {
  if (!graph || !instance) return 'It was skipped: something before it failed, or the run was stopped.';
  const failed = failedAbove(graph, [instance], (one) => last.get(one.id)?.finished?.outcome === 'failed');
  if (failed.length === 0) return 'It was not begun: the run ended before.';
  const ids = failed.map((one) => one.id);
  return `It was skipped, since ${some(ids, ', ')} failed.`;
}

type Finished = Extract<z.infer<typeof entrySchema>, {readonly event: 'instance-finished'}>;

/** How these instances, or all, ended in a run, and which key they had; the last word of the log on each counts. */
function lastOf(
  lines: Iterable<string>,
  ids: ReadonlySet<string> | undefined,
  counts = (_outcome: string): boolean => true,
) {
  const last = new Map<string, {readonly finished?: Finished; readonly key?: string}>();
  for (const line of lines) {
    if (!/"event":"(instance-finished|key)"/.test(line)) continue;
    const entry = entrySchema.safeParse(parsedLine(line)).data;
    if (!entry || ids?.has(entry.id) === false || (entry.event === 'instance-finished' && !counts(entry.outcome)))
      continue;
    last.set(entry.id, {
      ...last.get(entry.id),
      ...(entry.event === 'key' ? {key: entry.key} : {finished: entry}),
    });
  }
  return last;
}

/** A plan asks with every start, so it gets what the end of few logs tells. */
const TAIL_BYTES = 2 ** 20;

/** Which of these instances failed when they were last tried, as far as the ends of the newest logs of a store tell. */
export async function recentFailures(
  root: string,
  pipeline: PipelinePlace,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Failed>> {
  const failures = new Map<string, Failed>();
  const unknown = new Set(ids);
  for await (const {path} of logsUntilKnown(unknown, root, pipeline, NEWEST_LOGS)) {
    const lines = (await tailOf(path).catch(() => '')).split('\n');
    for (const [id, {finished, key}] of lastOf(lines, unknown, wasTried)) {
      if (!finished) continue;
      unknown.delete(id);
      if (finished.outcome === 'failed') failures.set(id, {message: finished.failure?.message ?? 'it failed.', key});
    }
  }
  return failures;
}

const wasTried = (outcome: string): boolean => outcome !== 'skipped';

async function tailOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const {size} = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const {buffer, bytesRead} = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
