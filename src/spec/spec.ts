import type {SourceText, Span} from '../base/diagnostic.ts';
import type {Json} from '../base/json.ts';
import type {Outputs} from '../stage/define-stage.ts';
import type {AxisValue} from './sweep.ts';
import type {Entry, MapTree, Place, Tree} from './tree.ts';

/** A name as written. */
export interface Named {
  readonly name: string;
  readonly at: Place;
}

/** `node.artifact` as written. */
export interface Reference {
  readonly node: string;
  readonly artifact: string;
  readonly at: Place;
}

export interface InputSpec {
  readonly name: string;
  readonly keyAt: Place;
  /** Undefined: it has a fault that is reported already. */
  readonly from: Reference | undefined;
  /** New names of the source's axes. */
  readonly as: readonly {readonly axis: Named; readonly name: string; readonly at: Place}[];
  /** The axes to gather over, when the file says so. */
  readonly over: readonly Named[] | undefined;
  /** The axis along which it comes from the node's own earlier point. */
  readonly previous: Named | undefined;
}

export interface AxisSpec {
  readonly name: string;
  readonly keyAt: Place;
  /** Undefined: it has a fault that is reported already. */
  readonly values: readonly AxisValue[] | undefined;
}

/** A point of a sweep, or what sets it apart: axes, and in an `include` row parameters too. */
export interface SweepRow {
  readonly at: Place;
  readonly cells: ReadonlyMap<string, Entry>;
  /** The same before params were in place. */
  readonly written: ReadonlyMap<string, Entry>;
}

export interface SweepSpec {
  /** Groups multiply; the axes of one group go together, value by value. */
  readonly groups: readonly (readonly AxisSpec[])[];
  readonly include: readonly SweepRow[];
  readonly exclude: readonly SweepRow[];
  /** Where `include` is given, when it has no rows. */
  readonly emptyAt: Place | undefined;
  /** Some axis of it cannot be read at all. */
  readonly incomplete: boolean;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly keyAt: Place;
  /** Params are in place, expressions over axes pending. Undefined: it has a fault that is reported already. */
  readonly value: Tree | undefined;
  /** The same before params were in place. */
  readonly written: Tree;
}

/** How much of a resource an instance takes while it runs; memory in bytes. */
export interface ResourceSpec {
  readonly amount: number;
  readonly keyAt: Place;
  readonly at: Place;
}

export interface NodeSpec {
  readonly name: string;
  readonly at: Place;
  readonly uses: Named | undefined;
  readonly withAt: Place | undefined;
  readonly with: ReadonlyMap<string, ArgumentSpec>;
  readonly inputs: ReadonlyMap<string, InputSpec>;
  readonly sweep: SweepSpec;
  /** Of the file that it stands in. */
  readonly params: ReadonlyMap<string, Json>;
  /** Absolute folder of that file. */
  readonly folder: string;
  /** It stands in a file that is used, and is there only for what takes from it. */
  readonly used: boolean;
  /** How often an instance whose worker died is tried again. */
  readonly retries: number;
  /** Seconds after which an instance is stopped. */
  readonly timeOut: number | undefined;
  readonly resources: ReadonlyMap<string, ResourceSpec>;
  /** Of all nodes with this name one instance runs at a time. */
  readonly mutex: string | undefined;
  /** What a `run:` node gives; its command is in `with`. */
  readonly outputs: Outputs | undefined;
  /** `in`, `with` or `sweep` as a whole has a fault, so that what is not in them says nothing. */
  readonly incomplete: boolean;
}

/** A condition over the columns of a table, the values of params in its text. */
export interface ConditionSpec {
  readonly text: string;
  readonly at: Place;
  /** As the file has it. */
  readonly written: string;
  /** The parts of the text, in order, and where they are in what is written: text from there, or a value for an expression. */
  readonly parts: readonly {readonly text: string; readonly span: Span; readonly isValue: boolean}[];
}

export interface ExpectationSpec {
  readonly of: Reference;
  readonly where: ConditionSpec | undefined;
  readonly that: ConditionSpec;
  readonly at: Place;
}

/** A view of Vega-Lite: a plot, and each that it is composed of. */
export interface ViewSpec {
  /** As Vega-Lite takes it: `{from: NODE.ARTIFACT}` is `{name: NODE.ARTIFACT}` there. */
  readonly map: MapTree;
  /** The table that it draws; undefined when it says nothing and so draws what the view around it does. */
  readonly rows: Reference | 'inline' | undefined;
  /** Tables that its transforms look up in. */
  readonly lookups: readonly Reference[];
  readonly views: readonly ViewSpec[];
}

export interface PlotSpec {
  readonly name: Named;
  readonly view: ViewSpec;
}

/** A pipeline file, read: its shape is right and its params are in place; stages and edges are not looked at yet. */
export interface Spec {
  readonly name: string;
  readonly source: SourceText;
  /** Absolute folder of the pipeline file. */
  readonly folder: string;
  readonly params: ReadonlyMap<string, Json>;
  readonly nodes: ReadonlyMap<string, NodeSpec>;
  /** Names of files that are used and could not be read, so that what is taken from them says nothing. */
  readonly unread: readonly string[];
  readonly expectations: readonly ExpectationSpec[];
  readonly plots: readonly PlotSpec[];
}
