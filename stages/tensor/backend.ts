/** What can compute, fastest first; without a choice the first that works here is taken. */
export const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

export const isBackendName = (text: unknown): text is BackendName => BACKENDS.some((name) => name === text);

/** Why a back end cannot be had here, and how to get it. */
export interface Obstacle {
  /** A clause without a full stop: "no C++ compiler was found". */
  readonly reason: string;
  /** The clause that follows it: "`apt install g++` and `basin setup` give the native one". */
  readonly hint: string;
  /** Programs whose appearing on the PATH makes another try worth while. */
  readonly waitsFor: readonly string[];
}

export const obstacle = (reason: string, hint: string, waitsFor: readonly string[] = []): Obstacle => ({
  reason,
  hint,
  waitsFor,
});

/** Hears how a set-up goes. Neither is called once it has ended. */
export interface SetupReporter {
  /** Something worth a line of its own. */
  line(text: string): void;
  /** How far the step of this text is, 0 to 1, or nothing known about it; may be called many times a second. */
  progress(text: string, fraction: number | undefined): void;
}
