/** When and how much is pruned, in optimizer steps. */
export interface PruningSchedule {
  /** All optimizer steps. */
  readonly steps: number;
  /** Dense steps at the start, t_i. */
  readonly warmup: number;
  /** Steps at the end that hold the target, t_f. */
  readonly finalWarmup: number;
  /** Steps between two rounds of pruning, ΔT. */
  readonly interval: number;
  /** Fraction kept at the end, r_T. */
  readonly keep: number;
}

/**
 * The fraction to keep at a step counted from 1, and whether weights are masked after it: the cubic schedule of
 * Zhang et al. 2022 (PLATON) as its code has it, with r_0 = 1 (science §1.1).
 */
export function remaining(schedule: PruningSchedule, step: number): {readonly ratio: number; readonly masks: boolean} {
  const {steps, warmup, finalWarmup, interval, keep} = schedule;
  if (step <= warmup) return {ratio: 1, masks: false};
  if (step > steps - finalWarmup) return {ratio: keep, masks: true};
  const left = 1 - (step - warmup) / (steps - warmup - finalWarmup);
  // the last step masks in any case, so that what is handed on is pruned
  return {ratio: keep + (1 - keep) * left ** 3, masks: step % interval === 0 || step === steps};
}

/** The last step after which it is chosen anew what stays. */
export function lastChosen({steps, warmup, finalWarmup, interval}: PruningSchedule): number {
  const atInterval = Math.floor(steps / interval) * interval;
  const atTarget = Math.min(steps - finalWarmup + 1, steps);
  return atInterval > warmup ? Math.max(atInterval, atTarget) : atTarget;
}
