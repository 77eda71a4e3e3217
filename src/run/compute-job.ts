import {inCanonicalOrder} from '../base/canonical-json.ts';
import type {Key} from '../base/digest.ts';
import type {Instance} from '../graph/graph.ts';
import {reasonText} from '../plan/reason-text.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import type {Stage} from '../stage/define-stage.ts';
import {knownModules} from '../stage/module-reference.ts';
import type {PinnedFiles} from '../stage/pinned-files.ts';
import type {DraftOutput} from '../store/publish.ts';
import type {Store} from '../store/store.ts';
import type {RunEvent} from './event.ts';
import type {Job} from './protocol.ts';
import type {JobEnd, PointCost, WorkerPlace, WorkerPool} from './worker-pool.ts';

export interface JobContext {
  readonly store: Store;
  readonly pool: Pick<WorkerPool, 'run'>;
  readonly place: WorkerPlace;
  /** Whether its worker must have had no job before. */
  readonly isFirst: boolean;
  emit(event: RunEvent): void;
  keyOf(instance: Instance): Key;
  /** Takes a point's outputs as it comes; the job has not ended before all are taken. */
  publish(instance: Instance, outputs: Readonly<Record<string, DraftOutput>>, cost: PointCost): Promise<void>;
}

export interface ComputedJob {
  readonly id: number;
  readonly end: JobEnd;
  /** Instances that gave no outputs. */
  readonly left: readonly Instance[];
  readonly seconds: number;
}

/** What a stage of the user's reads of its own code while it runs: of that nobody else would say that it changed. */
const readsOf = ({origin}: Stage): readonly PinnedFiles[] =>
  origin.from === 'file' && Object.keys(origin.reads).length > 0 ? [origin.reads] : [];

/** Has a worker compute instances of one stage over the same inputs, telling when each starts and taking each as it comes. */
export async function computeJob(
  job: Pick<Job, 'id' | 'inputs'>,
  planned: readonly PlannedInstance[],
  {store, pool, place, isFirst, emit, keyOf, publish}: JobContext,
): Promise<ComputedJob> {
  const startedAt = performance.now();
  const instances = planned.map(({instance}) => instance);
  const [first] = instances;
  if (!first) throw new Error('Internal error: a job of nothing');
  const unstarted = [...planned];
  const unfinished = new Set(instances);
  let current = first;
  const start = (instance: Instance | undefined): void => {
    const at = unstarted.findIndex((one) => one.instance === instance);
    const [next] = at < 0 ? [] : unstarted.splice(at, 1);
    if (!next) return;
    current = next.instance;
    emit({event: 'instance-started', id: current.id, reason: next.reason, text: reasonText(next.reason)});
  };
  start(first);
  const drafts = await Promise.all(planned.map(() => store.draftFolder()));
  const points = planned.map(({instance, located}, i) => ({
    key: keyOf(instance),
    // The order in which a map is written is in no key, so no stage may see it.
    params: inCanonicalOrder(located ?? null),
    drafts: drafts[i] ?? '',
  }));
  const publishing: Promise<void>[] = [];
  const end = await pool.run(
    {
      ...job,
      store: store.root,
      stage: {name: first.stage.name, origin: first.stage.origin},
      points,
      modules: knownModules(),
      pinned: [...new Set([...planned.flatMap(({pinned}) => pinned), ...readsOf(first.stage)])],
      driver: process.pid,
      timeOut: first.timeOut,
    },
    {
      progress: (progress) => emit({event: 'instance-progress', id: current.id, ...progress}),
      log: (line) => emit({event: 'log', id: current.id, line}),
      warning: (message) => emit({event: 'warning', message: `${current.id}: ${message}`}),
      point: (at, outputs, cost) => {
        const instance = instances[at];
        if (!instance) throw new Error(`Internal error: a worker gave point ${at} of ${instances.length}`);
        start(instance);
        start(unstarted[0]?.instance);
        unfinished.delete(instance);
        publishing.push(publish(instance, outputs, cost));
      },
    },
    place,
    isFirst,
  );
  await Promise.all(publishing);
  // What was not published is half written or not wanted, and takes space that others need.
  await Promise.all(drafts.map((folder) => store.releaseDraftFolder(folder, end.end === 'done')));
  return {id: job.id, end, left: [...unfinished], seconds: (performance.now() - startedAt) / 1000};
}
