import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {isJsonObject, type Json} from '../../src/base/json.ts';
import {VegaLiteSchema} from '../../src/graph/vega-lite-schema.ts';
import {type MapTree, treeOfJson} from '../../src/spec/tree.ts';

const AT = {source: {name: 'p.yaml', text: ''}, span: {start: 0, end: 1}};
const path = new URL('../../node_modules/vega-lite/build/vega-lite-schema.json', import.meta.url);
const oracle = z.fromJSONSchema(JSON.parse(readFileSync(path, 'utf8')));
const schema = new VegaLiteSchema();
const accepts = (plot: Json): boolean => schema.misfits(treeOfJson(plot, AT)).length === 0;

const x = {field: 'k', type: 'quantitative'};
const PLOTS: readonly Json[] = [
  {
    data: {name: 't'},
    mark: 'point',
    encoding: {x, y: {aggregate: 'mean', field: 'loss', scale: {zero: false, type: 'log'}}},
  },
  {
    data: {name: 't'},
    title: {text: ['a', 'b'], anchor: 'start'},
    encoding: {x},
    layer: [
      {mark: {type: 'errorband', opacity: 0.3}, encoding: {y: {field: 'low', title: null}, y2: {field: 'high'}}},
      {mark: {type: 'line', point: true}, transform: [{filter: {field: 'split', equal: 'test'}}]},
    ],
  },
  {
    data: {name: 't'},
    facet: {row: {field: 'split'}},
    spec: {mark: 'bar', width: {step: 20}, encoding: {color: {value: 'red'}}},
  },
  {
    data: {name: 't'},
    repeat: ['loss', 'error'],
    columns: 2,
    spec: {mark: 'tick', encoding: {x: {field: {repeat: 'repeat'}}}},
  },
  {
    hconcat: [{data: {values: [{a: 1}]}, mark: 'rule'}, {vconcat: [{data: {name: 't'}, mark: 'arc'}]}],
    config: {axis: {grid: false}},
  },
];

test.for(PLOTS)('what Vega-Lite documents is accepted: %j', (plot) => {
  expect(accepts(plot)).toBe(true);
});

/** Every path to a part of a value. */
function pathsIn(value: Json): readonly (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [[], ...value.flatMap((item, i) => pathsIn(item).map((inner) => [i, ...inner]))];
  if (!isJsonObject(value)) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, item]) => pathsIn(item).map((inner) => [key, ...inner]))];
}

function withChange(value: Json, [step, ...rest]: readonly (string | number)[], change: (part: Json) => Json): Json {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? withChange(item, rest, change) : item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === step ? withChange(item, rest, change) : item]),
  );
}

/** One key more, one less, one misspelt; another value in the place of one. */
const CHANGES: readonly ((part: Json) => Json)[] = [
  (part) => (isJsonObject(part) ? {...part, strange: 1} : [part]),
  (part) => (isJsonObject(part) ? Object.fromEntries(Object.entries(part).slice(1)) : null),
  (part) =>
    isJsonObject(part) ? Object.fromEntries(Object.entries(part).map(([key, item]) => [`${key}s`, item])) : `${part}s`,
  () => 3,
  () => -1,
  () => 'point',
  () => true,
  () => ({field: 'loss', type: 'nominal'}),
  () => [],
];

test("zod's reading of the same schema accepts and refuses the same plots", {timeout: 60_000}, () => {
  const damaged = fc
    .constantFrom(...PLOTS)
    .chain((plot) => fc.tuple(fc.constant(plot), fc.constantFrom(...pathsIn(plot)), fc.constantFrom(...CHANGES)))
    .map(([plot, at, change]) => withChange(plot, at, change));
  const verdicts = new Map([
    [true, 0],
    [false, 0],
  ]);
  fc.assert(
    fc.property(damaged, (plot) => {
      const expected = oracle.safeParse(plot).success;
      verdicts.set(expected, (verdicts.get(expected) ?? 0) + 1);
      expect(accepts(plot), JSON.stringify(plot)).toBe(expected);
    }),
    {numRuns: 100},
  );
  expect(Math.min(...verdicts.values())).toBeGreaterThan(5);
});

test('views inside views are looked at once each, however many branches of unions meet them', () => {
  let plot: Json = {data: {name: 't'}, mark: 'pont'};
  for (let depth = 0; depth < 80; depth++) plot = {data: {name: 't'}, facet: {field: 'k'}, spec: plot};
  const tree = treeOfJson(plot, AT);
  expect(new VegaLiteSchema().misfits(tree).length).toBeGreaterThan(0);
});

test('a hostile name of a definition or of a key is a name like any other', () => {
  const entries = new Map(
    ['__proto__', 'constructor', 'toString'].map((name) => [name, {name, keyAt: AT, value: treeOfJson(1, AT)}]),
  );
  const tree: MapTree = {kind: 'map', at: AT, entries};
  const unknown = schema.misfits(tree).flatMap((misfit) => (misfit.what === 'unknown' ? [misfit.name] : []));
  expect(unknown).toEqual(['__proto__', 'constructor', 'toString']);
});
