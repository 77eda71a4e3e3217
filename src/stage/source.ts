import type {Digest} from '../base/digest.ts';
import type {Json} from '../base/json.ts';

/** What a source resolver may ask of the driver. */
export interface SourceContext {
  /** Folder of the pipeline file; relative paths in a source start here. */
  readonly folder: string;
  /** Digest of a file's content, through the stat cache: an unchanged file is not read again. */
  digestOfFile(path: string): Promise<Digest>;
  /** False while a plan is made: what would have to be fetched is then unresolved. */
  readonly mayDownload: boolean;
  /** Tells a person what is fetched, how large it is and from where. */
  readonly tell?: (line: string) => void;
}

/** A parameter's outside data, pinned to its content. */
interface ResolvedSource {
  /** Stands for the parameter in the key: content digests and choices, never a path. */
  readonly identity: Json;
  /** Is handed to the stage in the parameter's place: absolute paths and choices. */
  readonly located: Json;
}

export type SourceResolution =
  | ({readonly state: 'resolved'} & ResolvedSource)
  /** Not to be had now (missing file, no network): a verdict in `plan`, an error in `run` when needed. */
  | {readonly state: 'unresolved'; readonly reason: string; readonly hint?: string};

/** Finds the outside data that a parameter names. The value has passed the stage's schema. */
export type SourceResolver = (value: Json, context: SourceContext) => Promise<SourceResolution>;
