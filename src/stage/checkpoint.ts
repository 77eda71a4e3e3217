import type {Json} from '../base/json.ts';

/** Where a long stage is: everything it needs to go on as if it had never stopped, to the last bit. */
export interface Checkpoint {
  /** Small and exact in JSON: counters, rows so far. */
  readonly position: Json;
  /** Large and exact in float32: weights, moments, scores. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

/** A stage's place to come back to after a crash, a kill or Ctrl-C; it belongs to the instance's key. */
export interface Checkpoints {
  /** The last one that was saved whole, or nothing. */
  load(): Promise<Checkpoint | undefined>;
  /**
   * Offers a checkpoint, cheaply every step: it is asked for only when enough time has passed that saving costs about a
   * hundredth of it, or when the run is being stopped.
   */
  offer(make: () => Checkpoint): Promise<void>;
}
