import type {Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {Graph, InstanceId} from '../graph/graph.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {partialPreimage} from './partial-preimage.ts';
import {diffPreimages} from './preimage-diff.ts';
import type {Change, Plan, PlannedInstance, Reason, Verdict} from './verdict.ts';

export interface Explanation {
  readonly instance: InstanceId;
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** What makes it run now; of an input whose upstream runs, `after` is `{awaits: id}`. Empty when cached or never run. */
  readonly changes: readonly Change[];
  /** For a cached instance: what was new when it first had this key, against the result before. It may have run again since, for another reason. */
  readonly lastChanges: readonly Change[];
}

/**
 * Field by field, how an instance differs from what it was: from its own last key where that is known, else from the nearest
 * record of its stage (fewest differing fields). Nothing when the graph has no such instance.
 */
export function explainInstance(graph: Graph, plan: Plan, store: Store, id: string): Explanation | undefined {
  const planned = plan.instances.find(({instance}) => instance.id === id);
  if (planned === undefined) return undefined;
  const {instance, verdict, reason, identity} = planned;
  const about = {instance: instance.id, verdict, reason};
  if (identity === undefined) return {...about, changes: [], lastChanges: []};
  const now = planned.record?.preimage ?? preimageSoFar(graph, plan, {...planned, identity});
  const pipeline = placeOf(store.root, graph);
  if (verdict === 'cached') {
    const before = newestRecord(store, keysBefore(store.keyHistory(pipeline, instance.id), planned.key));
    return {...about, changes: [], lastChanges: before ? diffPreimages(before.preimage, now) : []};
  }
  const before = newestRecord(store, store.keyHistory(pipeline, instance.id))?.preimage;
  return {
    ...about,
    changes: before ? diffPreimages(before, now) : nearestDiff(store.recordsOfStage(instance.stage.name), now),
    lastChanges: [],
  };
}

function preimageSoFar(
  graph: Graph,
  plan: Plan,
  planned: PlannedInstance & {readonly identity: JsonObject},
): JsonObject {
  const outputsOf = (index: number, artifact: string) => plan.instances[index]?.record?.outputs[artifact];
  return partialPreimage(planned, outputsOf, graph.instances, plan.numerics);
}

/** Of keys, the newest first, those from before one came for the first time: whoever went back to it was served by what it gave then. */
function keysBefore(keys: readonly Key[], key: Key | undefined): readonly Key[] {
  const first = key === undefined ? -1 : keys.lastIndexOf(key);
  return first < 0 ? [] : keys.slice(first + 1);
}

function newestRecord(store: Store, keys: readonly Key[]): StoreRecord | undefined {
  const records = store.records([...new Set(keys)]);
  for (const key of keys) {
    const record = records.get(key);
    if (record) return record;
  }
  return undefined;
}

function nearestDiff(records: readonly StoreRecord[], now: JsonObject): readonly Change[] {
  let nearest: readonly Change[] | undefined;
  for (const {preimage} of records) {
    const changes = diffPreimages(preimage, now);
    if (nearest === undefined || changes.length < nearest.length) nearest = changes;
  }
  return nearest ?? [];
}
