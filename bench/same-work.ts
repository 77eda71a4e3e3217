import type {Measured} from './rounds.ts';

/** How far losses may lie apart, relatively, by precision: fp32 sums in another order, bf16 rounds other places. */
const TOLERANCE = {fp32: 1e-4, bf16: 3e-2} as const;

/** The largest difference of two sides' losses, relative to ours. */
export function lossDifference(ours: readonly number[], theirs: readonly number[]): number {
  const differences = ours.map((value, index) => Math.abs(value - (theirs[index] ?? Number.NaN)) / Math.abs(value));
  return Math.max(...differences);
}

/** What is said of sides whose losses differ, which are not compared. */
export function workDiffers(ours: Measured, peer: Measured): string | undefined {
  if (lossDifference(ours.values, peer.values) <= TOLERANCE[ours.one.precision]) return undefined;
  const shown = ({values}: Measured): string =>
    values
      .slice(0, 5)
      .map((value) => value.toFixed(5))
      .join(', ');
  return `It is not the same work: losses ${shown(ours)} here and ${shown(peer)} in ${peer.name}.`;
}
