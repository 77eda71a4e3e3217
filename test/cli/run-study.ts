import {cp, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect} from 'vitest';
import {z} from 'zod';
import {basin, jsonLines, makeFolder, STACK} from './basin.ts';
import {expectContract} from './json-contract.ts';
import {ON_BACKEND, STUDY} from './study.ts';

const finished = z.object({event: z.literal('instance-finished'), id: z.string(), outcome: z.string()});
const totals = z.strictObject({
  event: z.literal('run-finished'),
  ran: z.int(),
  cached: z.int(),
  cutOff: z.int(),
  failed: z.int(),
  skipped: z.int(),
  seconds: z.number(),
});
const started = z.object({event: z.literal('run-started'), instances: z.int()});

export interface Told {
  readonly code: number | null;
  readonly events: readonly unknown[];
  readonly instances: number;
  readonly totals: z.output<typeof totals>;
  /** Ids by how they ended, sorted. */
  ids(outcome: string): readonly string[];
}

/** A `run --json` held to its contract: every line an event, first run-started, last run-finished, counts that add up. */
export async function runJson(args: readonly string[], place: Parameters<typeof basin>[1]): Promise<Told> {
  const {code, stdout, stderr} = await basin(['run', ...args, '--json'], place);
  expect(stderr).not.toMatch(STACK);
  const events = jsonLines(stdout);
  for (const event of events) expectContract('run-event', event);
  const {instances} = started.parse(events[0]);
  const last = totals.parse(events.at(-1));
  const outcomes = events.flatMap((event) => finished.safeParse(event).data ?? []);
  const ids = (outcome: string): readonly string[] =>
    outcomes.flatMap((ended) => (ended.outcome === outcome ? [ended.id] : [])).sort();
  expect(last.ran + last.cached + last.cutOff + last.failed + last.skipped).toBe(instances);
  expect(new Set(outcomes.map(({id}) => id)).size).toBe(instances);
  expect(last).toMatchObject({
    ran: ids('ran').length,
    cached: ids('cached').length,
    cutOff: ids('cut-off').length,
    failed: ids('failed').length,
    skipped: ids('skipped').length,
  });
  return {code, events, instances, totals: last, ids};
}

/** A folder with `study.yaml` and the cache of one whole run of it. */
export async function studyFolder(): Promise<{readonly folder: string; readonly told: Told}> {
  const folder = await makeFolder();
  await writeFile(join(folder, 'study.yaml'), STUDY);
  return {folder, told: await runJson(['study.yaml', ...ON_BACKEND], {cwd: folder})};
}

/** Another folder with a copy of the cache and another text, as if it had been edited. */
export async function editedCopy(of: string, to: string, text: string): Promise<string> {
  await cp(join(of, 'cache'), join(to, 'cache'), {recursive: true});
  await writeFile(join(to, 'study.yaml'), text);
  return to;
}
