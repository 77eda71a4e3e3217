import type {Diagnostic} from '../base/diagnostic.ts';
import type {Json, JsonObject} from '../base/json.ts';

/** What a plan knows of an artifact that a stage will be given. */
export interface Foreseen {
  /** Its point on the axes that are gathered over; empty where an input takes one artifact. */
  readonly axes: JsonObject;
  /** What the stage that gives it has said of it; stages agree among themselves what that is. */
  readonly known: Json | undefined;
}

/** Of every declared input; empty where it is not connected. */
export type ForeseenInputs = Readonly<Record<string, readonly Foreseen[]>>;

/** What a stage can say of an instance before anything has run. */
export interface Foresight {
  /** What is known of outputs, by their names. */
  readonly outputs?: Readonly<Record<string, Json | undefined>>;
  /** One line for the plan. */
  readonly note?: string;
  /** What will run, but not give what is looked for. */
  readonly warning?: Omit<Diagnostic, 'at'>;
}
