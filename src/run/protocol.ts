import type {ArtifactKind} from '../artifact/kinds.ts';
import type {Digest, Key} from '../base/digest.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {Progress, Stage} from '../stage/define-stage.ts';
import type {PinnedFiles} from '../stage/pinned-files.ts';
import type {DraftOutput} from '../store/publish.ts';

/** An input as blobs that the worker opens itself: payloads never pass through the driver. */
export type InputReference =
  | {readonly many: false; readonly kind: ArtifactKind; readonly digest: Digest}
  | {
      readonly many: true;
      readonly kind: ArtifactKind;
      readonly members: readonly {readonly axes: JsonObject; readonly digest: Digest}[];
    };

/** One instance's share of a job: its parameters with sources located, and a folder of its own for drafts. */
export interface JobPoint {
  readonly key: Key;
  readonly params: Json;
  readonly drafts: string;
}

/** A stage by its name, and where a worker finds it. */
export type StageReference = Pick<Stage, 'name' | 'origin'>;

/** Work for one worker: one point, or several points of one stage over the same inputs (`runMany`). */
export interface Job {
  readonly id: number;
  /** The process that gives it: the drafts of one that was killed are removed by the next. */
  readonly driver: number;
  /** Root of the store whose blobs the inputs are. */
  readonly store: string;
  readonly stage: StageReference;
  readonly inputs: Readonly<Record<string, InputReference>>;
  readonly points: readonly JobPoint[];
  /** Where the user's modules lie that parameters or inputs may speak of: paths by closure. */
  readonly modules: Readonly<Record<string, string>>;
  /** Files of outside data, as the keys have them. */
  readonly pinned: readonly PinnedFiles[];
  /** Seconds that a point may take. */
  readonly timeOut: number | undefined;
}

export type ToWorker =
  | {readonly say: 'job'; readonly job: Job}
  | {readonly say: 'stop'}
  /** The time is over of the point that comes after so many, unless that is on its way. */
  | {readonly say: 'time-over'; readonly job: number; readonly after: number};

/** Of a failure that was a program's: another attempt may end better. */
export interface ProgramFailure {
  /** The last lines it wrote. */
  readonly tail: readonly string[];
}

/** How a job ended when it did not end well. */
export type JobFailure =
  /** The user can mend it: message and hint, no stack. */
  | {readonly why: 'stage-error'; readonly message: string; readonly hint?: string; readonly program?: ProgramFailure}
  /** A bug of the stage or of ours. */
  | {readonly why: 'crash'; readonly message: string; readonly stack?: string}
  /** Blobs that are not there or are not what their digest says. */
  | {readonly why: 'damaged-inputs'; readonly digests: readonly Digest[]}
  /** Asked to stop. */
  | {readonly why: 'stopped'};

/** An error that nothing caught. Nobody knows what it left half done, so it ends its process. */
export interface Broken {
  /** With the place in the user's file where it is known. */
  readonly message: string;
  readonly stack?: string;
  /** Name of the stage whose code it was, as far as that can be told. */
  readonly stage?: string;
}

export type FromWorker =
  /** Said by a process that ends; the job is the one whose code broke, now or since it ended. */
  | ({readonly say: 'broke'; readonly job: number | undefined} & Broken)
  /** Said of a job that has a time-out, which starts now. */
  | {readonly say: 'begun'; readonly job: number}
  /** The stage is told that its time is over. */
  | {readonly say: 'time-over'; readonly job: number}
  | {readonly say: 'progress'; readonly job: number; readonly progress: Progress}
  | {readonly say: 'log'; readonly job: number; readonly line: string}
  | {readonly say: 'warning'; readonly job: number; readonly message: string}
  | {
      readonly say: 'point';
      readonly job: number;
      readonly point: number;
      readonly outputs: Readonly<Record<string, DraftOutput>>;
      readonly seconds: number;
      /** Largest resident memory of the process since the job began, in MiB. */
      readonly peakMemory: number;
    }
  | {readonly say: 'done'; readonly job: number}
  | {readonly say: 'failed'; readonly job: number; readonly failure: JobFailure};
