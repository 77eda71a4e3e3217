import type {Digest, Key} from '../base/digest.ts';
import type {StoredFile} from './stored-files.ts';

/** What it took to compute the payloads of a key. */
export interface RecordCost {
  readonly key: Key;
  readonly stage: string;
  readonly seconds: number;
  readonly digests: readonly Digest[];
}

/**
 * Why a file goes: nothing names it, no pipeline's latest run refers to it, it tells of a run long ago, a stage may go on from it that nobody
 * runs now, or it is the cheapest to make again of what is left.
 */
export type EvictionReason = 'orphaned' | 'superseded' | 'old-log' | 'unfinished' | 'cheap';

/** What else may go: logs of old runs, and folders with checkpoints that no living driver works on. */
export interface Spare {
  readonly file: StoredFile<string>;
  readonly reason: 'old-log' | 'unfinished';
}

export interface Eviction {
  readonly file: StoredFile<string>;
  readonly reason: EvictionReason;
  /** Whose payload it is, and what that took to compute; of what is no payload of a record nothing and 0. */
  readonly key: Key | undefined;
  readonly seconds: number;
}

/** A payload comes before its record; one that has lain here for this long without a record was left by a process that died. */
const ORPHANED_AFTER = 3_600_000;
const ORDER: readonly EvictionReason[] = ['orphaned', 'superseded', 'old-log', 'unfinished', 'cheap'];
/** A payload that was neither made nor handed to a program for this long is worth half. */
const HALF_LIFE = 30 * 24 * 3_600_000;

/**
 * Which files go so that the rest fits a budget of bytes. What nothing names always goes. Then payloads that no pipeline's latest run
 * refers to, then old logs, then checkpoints, the oldest first, then the rest; among payloads, what takes the fewest seconds per byte to compute again, halved
 * with every month of age. Of several keys that gave the same bytes the cheapest counts, and one current key keeps them current.
 */
export function chooseEvictions(
  payloads: readonly StoredFile<Digest>[],
  costs: Iterable<RecordCost>,
  current: ReadonlySet<Key>,
  {budget, now}: {readonly budget: number; readonly now: number},
  spares: readonly Spare[] = [],
): readonly Eviction[] {
  const owners = new Map<Digest, {key: Key; seconds: number; current: boolean}>();
  for (const {key, seconds, digests} of costs) {
    for (const digest of digests) {
      const known = owners.get(digest);
      const cheapest = known !== undefined && known.seconds <= seconds ? known : {key, seconds};
      owners.set(digest, {...cheapest, current: current.has(key) || known?.current === true});
    }
  }
  const chosen: Eviction[] = [];
  const rest: (Eviction & {readonly worth: number})[] = spares.map(({file, reason}) => ({
    ...{file, reason, key: undefined, seconds: 0, worth: file.since},
  }));
  let bytes = spares.reduce((sum, {file}) => sum + file.bytes, 0);
  for (const payload of payloads) {
    const owner = owners.get(payload.name);
    const age = Math.max(0, now - payload.since);
    if (owner === undefined) {
      if (age > ORPHANED_AFTER) chosen.push({file: payload, reason: 'orphaned', key: undefined, seconds: 0});
      else bytes += payload.bytes;
      continue;
    }
    bytes += payload.bytes;
    const {key, seconds} = owner;
    const worth = (seconds / Math.max(1, payload.bytes)) * 0.5 ** (age / HALF_LIFE);
    rest.push({file: payload, reason: owner.current ? 'cheap' : 'superseded', key, seconds, worth});
  }
  rest.sort((a, b) => ORDER.indexOf(a.reason) - ORDER.indexOf(b.reason) || a.worth - b.worth);
  for (const {file, reason, key, seconds} of rest) {
    if (bytes <= budget) break;
    chosen.push({file, reason, key, seconds});
    bytes -= file.bytes;
  }
  return chosen;
}
