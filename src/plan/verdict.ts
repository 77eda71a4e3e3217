import type {Key} from '../base/digest.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {Graph, Instance, InstanceId} from '../graph/graph.ts';
import type {PinnedFiles} from '../stage/pinned-files.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Reads} from './reads.ts';

/** One field of the key's preimage that differs; `path` as in `params.lr` or `inputs.weights`. */
export interface Change {
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export type Reason =
  | {readonly why: 'cached'}
  | {readonly why: 'never-run'}
  /** It was tried as it is now, or has never given anything. */
  | {readonly why: 'failed'; readonly message: string}
  /** With what runs above it, if anything does: it runs whatever that gives. */
  | {readonly why: 'changed'; readonly changes: readonly Change[]; readonly upstream?: readonly InstanceId[]}
  | {readonly why: 'upstream'; readonly upstream: readonly InstanceId[]}
  /** It is stored, but something upstream is computed a second time, and may give other bytes. */
  | {readonly why: 'upstream-remade'; readonly upstream: readonly InstanceId[]}
  /** It is stored, but another instance with the same key is computed a second time, and what that gives is the result of both. */
  | {readonly why: 'same-work'; readonly as: InstanceId}
  /** Outside data of something upstream cannot be had. */
  | {readonly why: 'upstream-unresolved'; readonly upstream: readonly InstanceId[]}
  /** The user wants it to run although its result is stored. */
  | {readonly why: 'forced'}
  | {readonly why: 'payload-missing'; readonly artifact: string}
  /** Found by a run, not by a plan: a stored output that is needed is missing or damaged. */
  | {readonly why: 'output-lost'}
  /** It is needed only if something below is not cut off. */
  | {readonly why: 'payload-perhaps-needed'; readonly artifact: string}
  /** It ran with this key, and its record was removed since. */
  | {readonly why: 'record-missing'}
  /** It ran before, and whether that still holds depends on a backend that is not set up yet. */
  | {readonly why: 'backend-unknown'}
  | {
      readonly why: 'unresolved';
      readonly parameter: string;
      readonly detail: string;
      readonly hint: string | undefined;
    };

/**
 * cached: the key is known and has a record · run: no record can serve, unless a point that was never tried fails ·
 * run-unless-cut-off: upstream will run, and if it gives the bytes it gave before, a record serves, or a payload that is gone may be needed · unresolved: outside data cannot be had now, its own or something upstream's.
 */
export type Verdict = 'cached' | 'run' | 'run-unless-cut-off' | 'unresolved';

export interface PlannedInstance {
  readonly instance: Instance;
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** The parameters as the key has them and as the stage is handed them; absent when the instance itself is unresolved. */
  readonly identity: JsonObject | undefined;
  readonly located: JsonObject | undefined;
  /** Files of outside data, as the key has them. */
  readonly pinned: readonly PinnedFiles[];
  /** Known as soon as everything upstream is cached. */
  readonly key: Key | undefined;
  /** Present when cached. */
  readonly record: StoreRecord | undefined;
}

export interface Plan {
  /** In the order of `Graph.instances`. */
  readonly instances: readonly PlannedInstance[];
  /** What has to be readable in the store when it was carried out. */
  readonly reads: Reads;
  /** What it was planned for; absent when no backend is set up yet. */
  readonly numerics?: string;
}

export function plannedAt({instances}: Plan, index: number): PlannedInstance {
  const planned = instances[index];
  if (!planned) throw new Error(`Internal error: there is no instance ${index}`);
  return planned;
}

/** Of the instances that a graph's nodes name, upstream first. */
export function plannedOf({nodes}: Graph, {instances}: Plan): readonly PlannedInstance[] {
  const named = new Set(nodes.flatMap((node) => node.instances));
  return instances.filter(({instance}) => named.has(instance.index));
}
