import type {Digest, Key} from '../base/digest.ts';
import type {StoredFile} from './stored-files.ts';

/** What it took to compute the payloads of a key. */
export interface RecordCost {
  readonly key: Key;
  readonly stage: string;
  readonly seconds: number;
  readonly digests: readonly Digest[];
}

/** Why a payload goes: nothing names it, no pipeline's latest run refers to it, or it is the cheapest to make again of what is left. */
export type EvictionReason = 'orphaned' | 'superseded' | 'cheap';

export interface Eviction {
  readonly payload: StoredFile<Digest>;
  readonly reason: EvictionReason;
  /** Whose payload it is, and what that took to compute; an orphan's are nothing and 0. */
  readonly key: Key | undefined;
  readonly seconds: number;
}

/** A payload comes before its record; one that has lain here for this long without a record was left by a process that died. */
const ORPHANED_AFTER = 3_600_000;
/** A payload that has not changed for this long is worth half. */
const HALF_LIFE = 30 * 24 * 3_600_000;

/**
 * Which payloads go so that the rest fits a budget of bytes. What nothing names always goes. Then what no pipeline's latest run
 * refers to, then the rest; within each, what takes the fewest seconds per byte to compute again, halved with every month of age.
 * Of several keys that gave the same bytes the cheapest counts, and one current key keeps them current.
 */
export function chooseEvictions(
  payloads: readonly StoredFile<Digest>[],
  costs: Iterable<RecordCost>,
  current: ReadonlySet<Key>,
  {budget, now}: {readonly budget: number; readonly now: number},
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
  const rest: {payload: StoredFile<Digest>; key: Key; seconds: number; current: boolean; worth: number}[] = [];
  let bytes = 0;
  for (const payload of payloads) {
    const owner = owners.get(payload.name);
    const age = Math.max(0, now - payload.since);
    if (owner === undefined) {
      if (age > ORPHANED_AFTER) chosen.push({payload, reason: 'orphaned', key: undefined, seconds: 0});
      else bytes += payload.bytes;
      continue;
    }
    bytes += payload.bytes;
    rest.push({payload, ...owner, worth: (owner.seconds / Math.max(1, payload.bytes)) * 0.5 ** (age / HALF_LIFE)});
  }
  rest.sort((a, b) => Number(a.current) - Number(b.current) || a.worth - b.worth);
  for (const {payload, key, seconds, current: isCurrent} of rest) {
    if (bytes <= budget) break;
    chosen.push({payload, reason: isCurrent ? 'cheap' : 'superseded', key, seconds});
    bytes -= payload.bytes;
  }
  return chosen;
}
