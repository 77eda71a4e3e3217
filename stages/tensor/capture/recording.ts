import type {HandleMetadata, OperationAttribute} from './node-backend.ts';

/** A value that came from JavaScript while a function was recorded: an axis, a shape, a constant of its mathematics. */
export interface Upload {
  readonly shape: readonly number[];
  readonly dtype: number;
  readonly bytes: Uint8Array;
}

/** An input of the recorded function; `dtype` is TensorFlow's number of the type. */
export interface RecordedInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: number;
}

/**
 * Where an input of a recorded operation comes from: an input of the function, an upload, or an output of an earlier
 * operation.
 */
export type Source =
  | {readonly from: 'input'; readonly name: string}
  | {readonly from: 'upload'; readonly index: number}
  | {readonly from: 'operation'; readonly index: number; readonly output: number};

export interface RecordedOperation {
  readonly name: string;
  readonly attributes: readonly OperationAttribute[];
  readonly inputs: readonly Source[];
  readonly outputs: readonly Omit<HandleMetadata, 'id'>[];
}

/** Everything a function of tensors did, in the order in which it did it. */
export interface Recording {
  readonly inputs: readonly RecordedInput[];
  readonly uploads: readonly Upload[];
  readonly operations: readonly RecordedOperation[];
  readonly outputs: Readonly<Record<string, Source>>;
}

export const sameSource = (a: Source, b: Source): boolean => {
  switch (a.from) {
    case 'input':
      return b.from === 'input' && a.name === b.name;
    case 'upload':
      return b.from === 'upload' && a.index === b.index;
    case 'operation':
      return b.from === 'operation' && a.index === b.index && a.output === b.output;
  }
};

/** A function that cannot be captured, or that does another thing than it did when it was: what, and what to do. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}
