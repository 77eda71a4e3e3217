import type {SourceText, Span} from '../base/diagnostic.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {ResourceSpec} from '../spec/spec.ts';
import type {Stage} from '../stage/define-stage.ts';

/** `node` or `node[axis=value,…]`, axes in the order of the node's axes. */
export type InstanceId = string & {readonly __brand: 'instance-id'};

/** Where an input comes from. Numbers are indices into `Graph.instances`. */
export type Binding =
  | {readonly many: false; readonly from: number; readonly artifact: string}
  | {
      readonly many: true;
      readonly over: readonly string[];
      /** Sorted by axis values: numbers by size, else by canonical JSON. */
      readonly members: readonly {readonly axes: JsonObject; readonly from: number; readonly artifact: string}[];
    };

/** A node at one point of its axes, everything about it checked. */
export interface Instance {
  /** Its place in `Graph.instances`. */
  readonly index: number;
  readonly id: InstanceId;
  readonly node: string;
  readonly stage: Stage;
  readonly axes: JsonObject;
  /** The output of the stage's schema: defaults filled in, JSON. */
  readonly params: JsonObject;
  /** Absolute folder of the file that its node stands in: relative paths in `params` start there. */
  readonly folder: string;
  readonly inputs: Readonly<Record<string, Binding>>;
  /** How often it is tried again when its worker dies; in no key. */
  readonly retries: number;
  /** Seconds after which it is stopped; in no key. */
  readonly timeOut: number | undefined;
  /** How much of each named resource it takes while it runs; memory in bytes, in no key. */
  readonly resources: Readonly<Record<string, number>>;
  /** Of all that name it one runs at a time; in no key. */
  readonly mutex: string | undefined;
}

export interface GraphNode {
  readonly name: string;
  readonly stage: Stage;
  readonly axes: readonly {readonly name: string; readonly values: readonly Json[]}[];
  readonly instances: readonly number[];
  /** What each instance takes while it runs, and where that is written. */
  readonly resources: ReadonlyMap<string, ResourceSpec>;
  /** The node's name, in the file where it stands. */
  readonly at: {readonly source: SourceText; readonly span: Span};
}

/** A claim that every row of a table must meet; checked CEL over its columns and axes. */
export interface Expectation {
  readonly node: string;
  readonly artifact: string;
  readonly where: string | undefined;
  readonly that: string;
  readonly span: Span;
}

/** A picture of tables: a Vega-Lite specification whose data are the names `NODE.ARTIFACT`. In no key. */
export interface Plot {
  readonly name: string;
  readonly specification: JsonObject;
  /** Each table that it draws, once. */
  readonly tables: readonly {readonly node: string; readonly artifact: string}[];
}

/** A checked pipeline: frozen, acyclic, every name resolved, every parameter valid. */
export interface Graph {
  readonly name: string;
  readonly source: SourceText;
  /** Absolute folder of the pipeline file. */
  readonly folder: string;
  readonly params: JsonObject;
  readonly nodes: readonly GraphNode[];
  /** Upstream first; stable for equal files. */
  readonly instances: readonly Instance[];
  /** For each instance, the indices of those that take an output of it, ascending, each once. */
  readonly consumers: readonly (readonly number[])[];
  readonly expectations: readonly Expectation[];
  readonly plots: readonly Plot[];
}
