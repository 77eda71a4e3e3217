/** 0 done · 1 a stage or an expectation failed · 2 the pipeline or the command is wrong · 130 interrupted. */
export const EXIT = {done: 0, failed: 1, wrong: 2, interrupted: 130} as const;
