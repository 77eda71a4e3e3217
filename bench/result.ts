import {operationsOf} from './operations.ts';
import type {Measured} from './rounds.ts';
import {lossDifference} from './same-work.ts';

/** What only basin does, as a line of `--json` beside the others. */
export interface OwnResult {
  readonly case: string;
  /** Median, and the lowest and highest. */
  readonly basin_ms: number;
  readonly basin_spread: readonly [number, number];
  readonly peer: null;
  readonly peer_ms: null;
  readonly ratio: null;
  readonly spread: null;
  readonly share_of_peak: null;
  /** Of one alpha more: the sweep of 25 takes this many times as long. */
  readonly times_in_sweep?: number;
}

/** @param times milliseconds */
export const ownResult = (name: string, times: readonly number[]): OwnResult => ({
  case: name,
  basin_ms: rounded(median(times)),
  basin_spread: [rounded(Math.min(...times)), rounded(Math.max(...times))],
  peer: null,
  peer_ms: null,
  ratio: null,
  spread: null,
  share_of_peak: null,
});

/** A case against one peer: a line of `--json`. Times in milliseconds a unit, medians of the rounds; memory in MiB. */
export interface Result {
  readonly case: string;
  readonly basin_ms: number;
  readonly peer: string;
  readonly peer_ms: number;
  /** Median of peer_ms / basin_ms over the rounds: above 1, basin is faster. */
  readonly ratio: number;
  /** Lowest and highest of these ratios. */
  readonly spread: readonly [number, number];
  /** Of each side's fastest round. */
  readonly ratio_of_minima: number;
  /** Product operations a second of the fastest round, of the fastest product that any side made on this machine. */
  readonly share_of_peak: number;
  readonly peer_share_of_peak: number;
  readonly peak_gflops: number;
  /** The largest relative difference of the losses of the first units. */
  readonly loss_difference: number;
  /** From the request to the first loss in a warm process. */
  readonly basin_first_ms: number;
  readonly basin_start_mib: number;
  readonly basin_mib: number;
  readonly peer_mib: number;
  /** Under PLATON: how much longer a step takes than the bare one of the same side, a median of ratios. */
  readonly overhead?: number;
  readonly peer_overhead?: number;
  readonly rounds: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  return (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
}

/** Round by round, how many times as long as `short` `long` took. */
const ratios = (long: Measured, short: Measured): number[] =>
  long.rounds.map((time, round) => time / (short.rounds[round] ?? Number.NaN));

/** Compares two sides; `bare` holds the same sides at the step without PLATON. */
export function resultOf(
  ours: Measured,
  peer: Measured,
  bare?: {readonly ours: Measured; readonly peer: Measured},
): Result {
  const each = ratios(peer, ours);
  const best = (side: Measured): number => Math.min(...side.rounds);
  const peak = Math.max(ours.gflops, peer.gflops);
  const share = (side: Measured): number => operationsOf(side.one) / best(side) / 1e6 / peak;
  return {
    case: ours.one.id,
    basin_ms: rounded(median(ours.rounds)),
    peer: peer.name,
    peer_ms: rounded(median(peer.rounds)),
    ratio: rounded(median(each)),
    spread: [rounded(Math.min(...each)), rounded(Math.max(...each))],
    ratio_of_minima: rounded(best(peer) / best(ours)),
    share_of_peak: rounded(share(ours)),
    peer_share_of_peak: rounded(share(peer)),
    peak_gflops: rounded(peak),
    loss_difference: rounded(lossDifference(ours.values, peer.values)),
    basin_first_ms: rounded(ours.first),
    basin_start_mib: ours.startMemory,
    basin_mib: ours.memory,
    peer_mib: peer.memory,
    ...(bare && {
      overhead: rounded(median(ratios(ours, bare.ours)) - 1),
      peer_overhead: rounded(median(ratios(peer, bare.peer)) - 1),
    }),
    rounds: ours.rounds.length,
  };
}

export const rounded = (value: number): number => Number(value.toPrecision(4));
