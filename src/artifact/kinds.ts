import type {JsonObject} from '../base/json.ts';

export const TABLE_KINDS = ['metrics', 'evals', 'points', 'examples', 'summary'] as const;
/** What can flow along an edge of a pipeline, in the order in which it is listed to people. */
export const ARTIFACT_KINDS = ['file', 'weights', 'mask', ...TABLE_KINDS] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];
/** The kinds that are Arrow files with a schema of basin's; a `file` is whatever its maker wrote. */
export type ArrowKind = Exclude<ArtifactKind, 'file'>;
export type TableKind = (typeof TABLE_KINDS)[number];

/** Types of a table column; every column is non-null. `int32` and `float64` are read back as numbers. */
export const COLUMN_TYPES = ['utf8', 'float64', 'int32', 'bool'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];
export type Columns = Readonly<Record<string, ColumnType>>;
export type Cell = string | number | boolean;
export type Row = Readonly<Record<string, Cell>>;
export type Rows = readonly Row[];

/** A tensor as stored: C order, float32. `shape` is empty for a scalar. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A network's parameters under their on-disk HuggingFace names, and what is needed to evaluate them. */
export interface Weights {
  /** Canonical model configuration, `{model: "vit" | "mlp", …}`. */
  readonly model: JsonObject;
  /** How a picture becomes the model's input. */
  readonly preprocessor: JsonObject;
  /** Sorted by name, by code unit. */
  readonly tensors: readonly NamedTensor[];
}

/** Which weights are kept. A tensor that is not there is kept whole. */
export interface Mask {
  /** Sorted by name, by code unit. `bits[i]` is 1 where weight i (C order) is kept, else 0. */
  readonly tensors: readonly {readonly name: string; readonly shape: readonly number[]; readonly bits: Uint8Array}[];
}

/** A file by its absolute path: content that never has to fit into memory. */
export interface StoredFile {
  readonly path: string;
}

/** The value in memory of each kind. */
export interface ArtifactValues {
  weights: Weights;
  mask: Mask;
  metrics: Rows;
  evals: Rows;
  points: Rows;
  examples: Rows;
  summary: Rows;
  file: StoredFile;
}

/** Columns every table of a kind has; a stage's declaration may add to them. `summary` has only what its stage declares. */
export const BASE_COLUMNS: Readonly<Record<TableKind, Columns>> = {
  metrics: {step: 'int32', epoch: 'float64', loss: 'float64', loss_ema: 'float64', lr: 'float64'},
  evals: {step: 'int32', split: 'utf8', loss: 'float64', error: 'float64', accuracy: 'float64', n: 'int32'},
  points: {split: 'utf8', loss: 'float64', error: 'float64', accuracy: 'float64', n: 'int32'},
  examples: {split: 'utf8', example: 'int32', label: 'int32', predicted: 'int32', loss: 'float64'},
  summary: {},
};

export const isTableKind = (kind: ArtifactKind): kind is TableKind => Object.hasOwn(BASE_COLUMNS, kind);

/** Declared columns behind those of text that a pipeline names. */
export const withNamed = (names: readonly string[], columns: Columns = {}): Columns => ({
  ...Object.fromEntries(names.map((name) => [name, 'utf8' as const])),
  ...columns,
});

/** The columns of a table with the kind's own; none of what is no table. */
export const declaredColumns = ({kind, columns}: {readonly kind: ArtifactKind; readonly columns?: Columns}): Columns =>
  isTableKind(kind) ? {...BASE_COLUMNS[kind], ...columns} : {};
