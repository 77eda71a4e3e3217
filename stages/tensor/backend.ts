/** What can compute, fastest first. */
export const BACKENDS = ['cuda', 'tensorflow', 'wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** What is tried without a choice: the first that works is taken. CUDA's libraries are gigabytes and come when they are asked for. */
export const AUTOMATIC: readonly BackendName[] = ['tensorflow', 'wasm', 'cpu'];

/** Which of TensorFlow's libraries a native back end loads: those for the processor, or those for NVIDIA's cards too. */
export type Edition = 'cpu' | 'cuda';

/** The edition of a native back end; nothing for the others. */
export function editionOf(backend: BackendName): Edition | undefined {
  if (backend === 'cuda') return 'cuda';
  return backend === 'tensorflow' ? 'cpu' : undefined;
}

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
