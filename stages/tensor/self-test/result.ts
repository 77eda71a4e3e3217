/** A case in which a back end is not equal to the reference, or throws. */
export interface KernelFault {
  readonly case: string;
  readonly detail: string;
}

/** How a back end compares with the reference back end `cpu` in values and gradients. */
export interface SelfTestResult {
  readonly cases: number;
  /** Operations that basin's stages use; none in a back end that a set-up has taken. */
  readonly needed: readonly KernelFault[];
  /** Operations that basin's stages avoid; a stage of a user's own should too. */
  readonly avoided: readonly KernelFault[];
}

/** What the testing process tells the one that started it. */
export type SelfTestMessage =
  | {readonly state: 'started'; readonly case: string}
  | {readonly state: 'finished'; readonly result: SelfTestResult};
