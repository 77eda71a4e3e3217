import type {z} from 'zod';
import type {ArtifactKind, ArtifactValues, Columns, Row, StoredFile, TableKind} from '../artifact/kinds.ts';
import type {Digest} from '../base/digest.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {checkFunctions} from './check-functions.ts';
import type {Checkpoints} from './checkpoint.ts';
import type {ForeseenInputs, Foresight} from './foresight.ts';
import type {GatheredFile} from './gathered-files.ts';
import type {PinnedFiles} from './pinned-files.ts';
import {outputOf, typedBy} from './schema-output.ts';
import type {SourceResolver} from './source.ts';
import type {TensorLibrary} from './tensor-library.ts';

export interface InputDeclaration {
  readonly kind: ArtifactKind;
  readonly doc: string;
  /** Gathers over these axes, unless the pipeline says `over:`; `all` are those of what gives it. */
  readonly many?: {readonly over: readonly string[] | 'all'};
  /** Of gathered weights or masks: each is opened, and all of them are in memory at once; else the stage gets candidates to pass on. */
  readonly opens?: true;
  readonly optional?: true;
  /** Handed over as a file and not decoded. Gathered tables are one, with their axes as columns; of anything else each is a file. */
  readonly as?: 'path';
  /** Of the file's name, when it is handed over as one; `arrow` unless given. */
  readonly extension?: string;
  /** Columns besides those of the kind, of a gathered table that is handed over as a file. */
  readonly columns?: Columns;
}

export interface OutputDeclaration {
  readonly kind: ArtifactKind;
  readonly doc: string;
  /** Columns besides those of the kind (`BASE_COLUMNS`); a `summary` has only these. */
  readonly columns?: Columns;
  /** Gives one of the candidates of this input, byte for byte; is there only where that input is. */
  readonly passes?: string;
  /** Is there only where this parameter, which is off by default, is `true` for the whole node: what is large and seldom wanted. */
  readonly when?: string;
  /** Columns that tell rows of one split apart, of which there are several: who takes one row for the whole is told before anything runs. */
  readonly apart?: readonly string[];
  /** Has before its `columns` one of text for each name that this parameter, a list, holds for the whole node; none where it is not given. */
  readonly named?: string;
  /** The stage gives the path of a file, which must hold what is declared; a table may be an Arrow file or a JSON list of rows. */
  readonly as?: 'path';
  /** Of a `file`, where its name matters to who reads it. */
  readonly extension?: string;
}

/** One of many artifacts that are too large to open them all: a stage passes one on. */
export interface Candidate {
  readonly axes: JsonObject;
  readonly digest: Digest;
}

/** One of many artifacts that a stage has asked to open. */
export interface Opened<K extends ArtifactKind> {
  readonly axes: JsonObject;
  readonly value: ArtifactValues[K];
}

export const isCandidate = (value: ArtifactValues[ArtifactKind] | Candidate): value is Candidate => 'digest' in value;

export type Inputs = Readonly<Record<string, InputDeclaration>>;
export type Outputs = Readonly<Record<string, OutputDeclaration>>;

/**
 * A gathered input is its rows with the axes as columns, sorted by axis value; when it is no table, candidates; when it `opens` each,
 * every value apart with its axes. The rest is the kind's own value.
 */
export type InputValues<I extends Inputs> = {
  readonly [K in keyof I]: InputValue<I[K]> | (I[K] extends {readonly optional: true} ? undefined : never);
};
type InputValue<D extends InputDeclaration> = D extends {readonly as: 'path'}
  ? D extends {readonly many: object}
    ? D extends {readonly kind: TableKind}
      ? StoredFile
      : readonly GatheredFile[]
    : StoredFile
  : D extends {readonly many: object}
    ? D extends {readonly opens: true}
      ? readonly Opened<D['kind']>[]
      : D extends {readonly kind: TableKind}
        ? readonly Row[]
        : readonly Candidate[]
    : ArtifactValues[D['kind']];
export type OutputValues<O extends Outputs> = {
  readonly [K in keyof O]: O[K] extends {readonly passes: string}
    ? Candidate | undefined
    : O[K] extends {readonly as: 'path'}
      ? StoredFile
      : ArtifactValues[O[K]['kind']] | (O[K] extends {readonly when: string} ? undefined : never);
};

/** How far a running instance is; every field but `step` and `steps` may be missing. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly epoch?: number;
  readonly loss?: number;
  /** Pictures, points or whatever the stage counts, done since it started. */
  readonly note?: string;
}

/** What a stage is given besides its parameters and inputs. */
export interface StageServices {
  readonly tf: TensorLibrary;
  /** Aborted when the run stops; a long stage looks at it every step and throws `signal.reason`. */
  readonly signal: AbortSignal;
  readonly checkpoints: Checkpoints;
  /** Cheap to call every step: it is throttled before it is sent. */
  progress(progress: Progress): void;
  /** One line for the instance's log. */
  log(line: string): void;
  /** Makes a folder of the instance's own, on the store's file system and empty; it is gone when the stage has ended. */
  folder(): Promise<string>;
}

/** Something the user can mend, found while a stage runs. One class with what encoding and the store throw. */
export {UserError as StageError} from '../base/user-error.ts';

/** Something upstream of a stage, as it is known before anything runs. */
export interface Above {
  readonly stage: Stage;
  readonly params: JsonObject;
}

/** What gives an input, or one of the many that it gathers. */
export interface Giver extends Above {
  /** Where it stands on the axes that are gathered. */
  readonly axes: JsonObject;
  /** The columns of the table that it gives. */
  readonly columns: Columns;
  /** Those that tell rows of one split apart. */
  readonly apart: readonly string[];
  /** What gives its own inputs. */
  readonly inputs: Givers;
}
/** By input. */
export type Givers = Readonly<Record<string, readonly Giver[]>>;

/** What a stage can be told of what lies above it. */
export interface Upstream {
  readonly inputs: Givers;
  /** All that it depends on, near and far. */
  readonly all: readonly Above[];
}

/** What is wrong with a parameter beside what lies above. */
export interface ParameterProblem {
  readonly parameter: string;
  /** Leads to what is wrong inside the parameter. */
  readonly path?: readonly PropertyKey[];
  /** It is the name at the end of the path, and not what is given under it. */
  readonly isName?: true;
  readonly message: string;
  readonly hint: string;
}

export type ParameterProblems = ParameterProblem | readonly ParameterProblem[] | undefined;

export interface StageDeclaration<P extends z.ZodType, I extends Inputs, O extends Outputs> {
  /** As in `uses:`; also the file's name. */
  readonly name: string;
  /** Raised when equal inputs would give other outputs; a part of every key. Not needed in a user's file, whose code is in its keys. */
  readonly version?: number;
  readonly doc: string;
  /** A strict object, or a union of strict objects; its *output* is what is hashed, defaults filled in. */
  readonly params: P;
  /**
   * Parameters that were added later, each with the default at which the stage does what it did without them: at that value they
   * are in no key, so that results from before stay good.
   */
  readonly noop?: Readonly<Record<string, Json>>;
  readonly inputs: I;
  readonly outputs: O;
  /** Whether it computes with tensors: then the numerics id is a part of its key. */
  readonly computes: 'tensors' | 'plain';
  /** Parameters that name outside data, and who finds it. */
  readonly sources?: Readonly<Record<string, SourceResolver>>;
  /** What parameters cannot be beside those upstream, found before anything runs. */
  checkUpstream?(params: z.output<P>, upstream: Upstream): ParameterProblems;
  /**
   * What can be said before anything runs, from parameters and from what is known of inputs. Cheap, reads no artifact, in no key. A StageError
   * is what the stage itself would throw: the plan warns of it.
   */
  foresee?(ahead: {readonly params: z.output<P>; readonly inputs: ForeseenInputs}): Foresight | Promise<Foresight>;
  run(work: {
    readonly params: z.output<P>;
    readonly inputs: InputValues<I>;
    readonly services: StageServices;
  }): Promise<OutputValues<O>>;
  /**
   * Many points over the same inputs: loads them once, yields each point's outputs as they come, in any order.
   * `points[i]` differ only in parameters. Yields every index once.
   */
  runMany?(work: {
    readonly points: readonly z.output<P>[];
    readonly inputs: InputValues<I>;
    readonly services: StageServices;
  }): AsyncGenerator<{readonly index: number; readonly outputs: OutputValues<O>}>;
}

/** What arrives at a stage with its types forgotten: the engine holds parameters as JSON, inputs as decoded by kind. */
export interface StageWork {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly services: StageServices;
}
export type OutputsByName = Readonly<Record<string, ArtifactValues[ArtifactKind] | Candidate | undefined>>;

/** Where a worker process finds a stage that it is asked for. */
export type StageOrigin =
  | {readonly from: 'registry'}
  /** A file of the user's, with the digest of all that it imports. */
  /** `reads`: files of its closure that it reads while it runs. */
  | {readonly from: 'file'; readonly path: string; readonly closure: Digest; readonly reads: PinnedFiles}
  /** A `run:` node. */
  | {readonly from: 'command'; readonly inputs: Inputs; readonly outputs: Outputs};

/** What a stage does, with its types forgotten. */
export interface StageFunctions {
  run(work: StageWork & {readonly params: Json}): Promise<OutputsByName>;
  readonly runMany?: (
    work: StageWork & {readonly points: readonly Json[]},
  ) => AsyncGenerator<{readonly index: number; readonly outputs: OutputsByName}>;
}

/**
 * A stage as the engine sees it: the same declaration with its types forgotten. Its own `run` takes parameters as they are written, as a test of its
 * author's has them.
 */
export interface Stage extends StageFunctions {
  readonly name: string;
  readonly origin: StageOrigin;
  /** What its author raises; of a user's stage the digest of its code. */
  readonly version: number | Digest;
  readonly doc: string;
  readonly params: z.ZodType;
  readonly noop: Readonly<Record<string, Json>>;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  readonly computes: 'tensors' | 'plain';
  readonly sources: Readonly<Record<string, SourceResolver>>;
  readonly checkUpstream?: (params: Json, upstream: Upstream) => ParameterProblems;
  readonly foresee?: (ahead: {readonly params: Json; readonly inputs: ForeseenInputs}) => Promise<Foresight>;
  /** With what its schema gave for its parameters, as `checkUpstream` and `foresee` have it: what it transforms is transformed once. */
  readonly checked: StageFunctions;
}
export type Registry = ReadonlyMap<string, Stage>;

/** Declares a stage with its types known to its author and forgotten by the engine. */
export function defineStage<P extends z.ZodType, const I extends Inputs, const O extends Outputs>(
  declaration: StageDeclaration<P, I, O>,
): Stage {
  checkFunctions(declaration);
  const {params: schema, runMany, checkUpstream, foresee} = declaration;
  // The worker decodes each input by the kind declared for it, which is what InputValues<I> says.
  const typed = (inputs: StageWork['inputs']): InputValues<I> => inputs as InputValues<I>;
  const checked: StageFunctions = {
    run: ({params, inputs, services}) => declaration.run({params: typedBy<P>(params), inputs: typed(inputs), services}),
    ...(runMany && {
      runMany: ({points, inputs, services}) =>
        runMany({points: points.map((point) => typedBy<P>(point)), inputs: typed(inputs), services}),
    }),
  };
  const {runMany: runChecked} = checked;
  return {
    name: declaration.name,
    origin: {from: 'registry'},
    version: declaration.version ?? 1,
    doc: declaration.doc,
    params: schema,
    noop: declaration.noop ?? {},
    inputs: declaration.inputs,
    outputs: declaration.outputs,
    computes: declaration.computes,
    sources: declaration.sources ?? {},
    ...(checkUpstream && {checkUpstream: (params, upstream) => checkUpstream(typedBy<P>(params), upstream)}),
    ...(foresee && {foresee: async ({params, inputs}) => foresee({params: typedBy<P>(params), inputs})}),
    checked,
    run: async ({params, ...work}) => checked.run({params: outputOf(schema, params), ...work}),
    ...(runChecked && {
      runMany: async function* ({points, ...work}) {
        yield* runChecked({points: points.map((point) => outputOf(schema, point)), ...work});
      },
    }),
  };
}
