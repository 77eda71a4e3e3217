import type {Faults} from './faults.ts';
import {readReference} from './read-node.ts';
import type {Resolver} from './resolve.ts';
import {asList, asMap, asText, fields} from './shape.ts';
import type {Named, PlotSpec, Reference, ViewSpec} from './spec.ts';
import {type Entry, type MapTree, pendingIn, type Tree} from './tree.ts';

const PLOT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const PLOT_HINT = 'Write {name: NAME, data: {from: NODE.ARTIFACT}, mark: point, encoding: {…}}, as in Vega-Lite.';
const DATA_HINT = 'Write data: {from: NODE.ARTIFACT}.';
/** What Vega-Lite has besides tables of the pipeline: values that the specification holds or makes. */
const DATA_KEYS = ['from', 'values', 'name', 'sequence', 'sphere', 'graticule', 'format'] as const;
const COMPOSED: ReadonlySet<string> = new Set(['layer', 'concat', 'hconcat', 'vconcat']);

/** The entries of `plots:`, params in place; one with a fault is left out. What Vega-Lite itself makes of them is not looked at. */
export function readPlots(
  entry: Entry | undefined,
  nodes: ReadonlyMap<string, unknown>,
  resolver: Resolver,
  faults: Faults,
): readonly PlotSpec[] {
  const list = asList(entry?.value, '"plots"', `Write a list. ${PLOT_HINT}`, faults);
  if (entry && list && list.items.length > 0 && nodes.has('plots')) {
    const message = 'A node is named "plots", so that `basin show FILE plots.NAME` would mean two things.';
    faults.add('bad-name', entry.keyAt, message, 'Rename the node.');
  }
  const taken = new Set<string>();
  return (list?.items ?? []).flatMap((item) => readPlot(item, taken, resolver, faults) ?? []);
}

function readPlot(item: Tree, taken: Set<string>, resolver: Resolver, faults: Faults): PlotSpec | undefined {
  const before = faults.count;
  const resolved = resolver.resolve(item);
  for (const {template, at} of resolved ? pendingIn(resolved) : []) resolver.reportPending(template, at);
  const map = asMap(resolved, 'A plot', PLOT_HINT, faults);
  if (!map) return undefined;
  const name = readName(map, taken, faults);
  const view = readView(map, faults);
  if (name && !drawsSomething(view)) {
    faults.add('missing-key', name.at, `The plot "${name.name}" does not say what it draws.`, DATA_HINT);
  }
  return name && faults.count === before ? {name, view} : undefined;
}

function readName(map: MapTree, taken: Set<string>, faults: Faults): Named | undefined {
  const given = map.entries.get('name');
  if (!given) faults.add('missing-key', map.at, 'This plot has no "name".', PLOT_HINT);
  const name = asText(given?.value, 'The name of a plot', 'Give it a name: basin show FILE plots.NAME.', faults);
  if (!name) return undefined;
  if (!PLOT_NAME.test(name.text)) {
    faults.add(
      'bad-name',
      name.at,
      `"${name.text}" cannot be the name of a plot.`,
      'Use letters, digits, "_" and "-".',
    );
  } else if (taken.has(name.text)) {
    faults.add('bad-name', name.at, `Two plots have the name "${name.text}".`, 'Choose another name.');
  }
  taken.add(name.text);
  return {name: name.text, at: name.at};
}

const drawsSomething = ({rows, views}: ViewSpec): boolean => rows !== undefined || views.some(drawsSomething);

/** The tables that a plot draws and looks up in, as often as it names them. */
export const referencesOf = ({rows, lookups, views}: ViewSpec): readonly Reference[] => [
  ...(rows === undefined || rows === 'inline' ? [] : [rows]),
  ...lookups,
  ...views.flatMap(referencesOf),
];

/** What is not of the right shape stays as it is: that is for the schema of Vega-Lite to say. */
function readView(map: MapTree, faults: Faults): ViewSpec {
  const views: ViewSpec[] = [];
  const lookups: Reference[] = [];
  let rows: ViewSpec['rows'];
  const composed = (tree: Tree): Tree => {
    if (tree.kind !== 'map') return tree;
    const view = readView(tree, faults);
    views.push(view);
    return view.map;
  };
  const lookedUp = (tree: Tree): Tree =>
    withEntry(tree, 'from', (from) =>
      withEntry(from, 'data', (value) => {
        const data = readData(value, faults);
        if (data.rows !== 'inline') lookups.push(data.rows);
        return data.tree;
      }),
    );
  const whole = (name: string, value: Tree): Tree => {
    if (name === 'spec') return composed(value);
    if (COMPOSED.has(name) && value.kind === 'list') return {...value, items: value.items.map(composed)};
    if (name === 'transform' && value.kind === 'list') return {...value, items: value.items.map(lookedUp)};
    if (name !== 'data') return value;
    const data = readData(value, faults);
    rows = data.rows;
    return data.tree;
  };
  const entries = new Map(
    [...map.entries].map(([name, entry]) => [name, {...entry, value: whole(name, entry.value)}] as const),
  );
  return {map: {...map, entries}, rows, lookups, views};
}

function withEntry(tree: Tree, name: string, change: (value: Tree) => Tree): Tree {
  const entry = tree.kind === 'map' ? tree.entries.get(name) : undefined;
  if (!entry || tree.kind !== 'map') return tree;
  return {...tree, entries: new Map([...tree.entries, [name, {...entry, value: change(entry.value)}]])};
}

/** Where rows come from; `from` becomes the name under which Vega-Lite is handed the table. */
function readData(tree: Tree, faults: Faults): {readonly tree: Tree; readonly rows: Reference | 'inline'} {
  const inline = {tree, rows: 'inline'} as const;
  if (tree.kind === 'scalar' && tree.value === null) return inline; // Vega-Lite's word for a view without data
  const map = asMap(tree, 'The data of a plot', DATA_HINT, faults);
  if (!map) return inline;
  const url = map.entries.get('url');
  if (url) {
    const hint = `${DATA_HINT} What lies outside comes in by a node that runs a program.`;
    faults.add('bad-plot', url.keyAt, 'A plot draws tables of its pipeline; nothing is fetched for it.', hint);
    return inline;
  }
  const {from, format, ...others} = fields(map, DATA_KEYS, 'The data of a plot', faults);
  if (!from) return inline;
  for (const {name, keyAt} of Object.values(others)) {
    faults.add('unknown-key', keyAt, `Data from a table has no key "${name}".`, `Remove it, or "from".`);
  }
  const rows = readReference(from.value, '"from" of a plot', DATA_HINT, faults);
  const named: readonly Entry[] = [{...from, name: 'name'}, ...(format ? [format] : [])];
  return {tree: {...map, entries: new Map(named.map((entry) => [entry.name, entry]))}, rows: rows ?? 'inline'};
}
