import type {Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {Graph, InstanceId} from '../graph/graph.ts';
import {type PipelinePlace, placeOf} from '../store/pipeline-place.ts';
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
  /** For a cached instance: what had changed when it last ran, against the result it had before. */
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
    const before = lastRecord(store, pipeline, instance.id, planned.key);
    return {...about, changes: [], lastChanges: before ? diffPreimages(before.preimage, now) : []};
  }
  const before = lastRecord(store, pipeline, instance.id, undefined)?.preimage;
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

/** The newest record of an instance whose key is another than `except`. */
function lastRecord(
  store: Store,
  pipeline: PipelinePlace,
  id: InstanceId,
  except: Key | undefined,
): StoreRecord | undefined {
  const keys = store.keyHistory(pipeline, id).filter((key) => key !== except);
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
