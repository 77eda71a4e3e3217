import {isJsonObject, type JsonObject} from '../base/json.ts';
import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import {referencesOf} from '../spec/read-plots.ts';
import type {PlotSpec, Reference, Spec, ViewSpec} from '../spec/spec.ts';
import {jsonOfTree, type Tree} from '../spec/tree.ts';
import {findTable} from './find-table.ts';
import type {Plot} from './graph.ts';
import type {Source} from './node-axes.ts';
import type {PipelineStages} from './pipeline-stages.ts';
import {columnMeant, fieldsIn, fieldsRepeated, type PlottedField, transformedColumns} from './plot-fields.ts';

/** What a view's rows have, as far as that is known. */
interface Columns {
  readonly table: string;
  readonly names: readonly string[];
}

const DRAWN = {code: 'bad-plot', lacks: 'to draw'};

/** The plots whose tables and columns exist. Axes of a node are columns too, unless it has a fault. */
export function checkPlots(
  spec: Spec,
  stages: PipelineStages,
  sources: ReadonlyMap<string, Source>,
  faults: Faults,
): readonly Plot[] {
  const columns = (of: Reference): Columns | undefined => {
    const names = findTable(of, DRAWN, spec, stages, sources, faults)?.names;
    return names && {table: `${of.node}.${of.artifact}`, names};
  };
  return spec.plots.map(({name, view}) => {
    checkView(view, {columns: undefined, encodings: []}, columns, faults);
    return {name: name.name, specification: specificationOf(view), tables: tablesOf(view)};
  });
}

function specificationOf({map}: PlotSpec['view']): JsonObject {
  const json = jsonOfTree(map, ({text}) => text);
  if (!isJsonObject(json)) throw new Error('Internal error: a map became no object');
  return json;
}

function tablesOf(view: ViewSpec): Plot['tables'] {
  const all = new Map(referencesOf(view).map(({node, artifact}) => [`${node}.${artifact}`, {node, artifact}]));
  return [...all.values()];
}

/** An encoding holds for every view below it, each with its own rows, so it is looked at where something is drawn. */
function checkView(
  {map, rows, lookups, views}: ViewSpec,
  around: {readonly columns: Columns | undefined; readonly encodings: readonly Tree[]},
  columnsOf: (of: Reference) => Columns | undefined,
  faults: Faults,
): void {
  for (const of of lookups) columnsOf(of);
  const given = rows === undefined ? around.columns : rows === 'inline' ? undefined : columnsOf(rows);
  const parts = (...names: readonly string[]): readonly Tree[] =>
    names.flatMap((name) => map.entries.get(name)?.value ?? []);
  const made = given && transformedColumns(given.names, parts('transform'));
  const columns = given && made && {table: given.table, names: made};
  const encodings = [...around.encodings, ...parts('encoding')];
  if (columns) {
    const named = [...parts('transform', 'facet'), ...(views.length === 0 ? encodings : [])];
    const fields = [...named.flatMap((tree) => fieldsIn(tree)), ...parts('repeat').flatMap(fieldsRepeated)];
    for (const field of fields) checkField(field, columns, faults);
  }
  for (const view of views) checkView(view, {columns, encodings}, columnsOf, faults);
}

function checkField({text, at}: PlottedField, {table, names}: Columns, faults: Faults): void {
  const {name, isNested} = columnMeant(text);
  if (names.includes(name)) return;
  const hint =
    isNested && names.includes(text)
      ? `Vega-Lite reads a dot or bracket as a way into a value; write "${text.replace(/[.[\]]/g, '\\$&')}".`
      : suggestion(name, names, 'columns');
  faults.add('bad-plot', at, `"${table}" has no column "${name}".`, hint);
}
