import type {Graph} from '../graph/graph.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {upstreamOf} from './generations.ts';
import type {Plan, PlannedInstance} from './verdict.ts';

/**
 * What recorded durations say about a plan. Seconds; those of `run-unless-cut-off` count whole, so a cut-off makes it shorter. What runs only if something
 * that is computed again gives other bytes counts nothing: most stages give the same.
 */
export interface PredictedTime {
  /** In the order of the graph's instances: 0 for what does not run, undefined where nothing like it has run. */
  readonly instances: readonly (number | undefined)[];
  /** Wall-clock time with so many instances side by side: no less than the longest path, and than all work shared evenly. */
  readonly total: number;
  /** Instances that will run and about which nothing is known; the total is without them. */
  readonly unknown: number;
}

/** Of a stage's newest records, as many as are asked for how long it takes. */
const NEWEST = 20;

/**
 * How long a plan will take, from the records of the store: an instance takes as long as it took last time, else as long as the median of
 * what ran last of its stage. `wanted` are the indices of what a run would be asked for; absent: all.
 */
export function predictTime(
  graph: Graph,
  {instances}: Plan,
  store: Store,
  jobs: number,
  wanted?: ReadonlySet<number>,
): PredictedTime {
  const running = instances.filter((one) => wanted?.has(one.instance.index) !== false && isExpected(one));
  const lastKeys = store.lastKeys(
    placeOf(store.root, graph),
    running.map(({instance}) => instance.id),
  );
  const lastRecords = store.records([...new Set(lastKeys.values())]);
  const ofStage = new Map<string, number | undefined>();
  const expected = ({instance}: PlannedInstance): number | undefined => {
    const {name} = instance.stage;
    const key = lastKeys.get(instance.id);
    const last = key === undefined ? undefined : lastRecords.get(key);
    if (last?.preimage.stage === name) return last.seconds;
    if (!ofStage.has(name)) ofStage.set(name, medianSeconds(store.recordsOfStage(name).slice(0, NEWEST)));
    return ofStage.get(name);
  };
  const seconds: (number | undefined)[] = instances.map(() => 0);
  for (const planned of running) seconds[planned.instance.index] = expected(planned);
  return {
    instances: seconds,
    total: Math.max(longestPath(graph, seconds), seconds.reduce<number>((sum, one) => sum + (one ?? 0), 0) / jobs),
    unknown: seconds.filter((one) => one === undefined).length,
  };
}

function isExpected({verdict, reason}: PlannedInstance): boolean {
  switch (reason.why) {
    case 'upstream-remade':
    case 'same-work':
    case 'payload-perhaps-needed':
      return false;
    default:
      return verdict === 'run' || verdict === 'run-unless-cut-off';
  }
}

function medianSeconds(records: readonly StoreRecord[]): number | undefined {
  const sorted = records.map(({seconds}) => seconds).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Seconds from the first start to the last end if nothing ever waits for a worker. */
function longestPath(graph: Graph, seconds: readonly (number | undefined)[]): number {
  const ends: number[] = [];
  let longest = 0;
  for (const instance of graph.instances) {
    let start = 0;
    for (const index of upstreamOf(instance)) start = Math.max(start, ends[index] ?? 0);
    const end = start + (seconds[instance.index] ?? 0);
    ends[instance.index] = end;
    longest = Math.max(longest, end);
  }
  return longest;
}
