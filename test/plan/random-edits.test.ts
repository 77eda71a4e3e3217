import {rm} from 'node:fs/promises';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {defineStage, type Registry} from '../../src/stage/define-stage.ts';
import {openStore} from '../../src/store/open-store.ts';
import type {Store} from '../../src/store/store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {textOf} from '../rig/model-text.ts';
import {evaluate, type Model, type ModelNode, workOf} from '../rig/pipeline-model.ts';
import {graphOf} from '../rig/read-text.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

const executed: string[] = [];
const SUMMARY = {kind: 'summary', doc: 'A number.', columns: {value: 'float64'}} as const;
const INPUT = {kind: 'summary', doc: 'A number.'} as const;
const rowsSchema = z.array(z.looseObject({value: z.number()}));
const first = (rows: unknown): number => rowsSchema.parse(rows ?? [{value: 0}])[0]?.value ?? 0;

const stages: Registry = new Map(
  [
    recording('number', z.strictObject({value: z.number()}), {}, ({value}) => value),
    recording('mod', z.strictObject({by: z.number()}), {a: INPUT}, ({by}, {a}) => first(a) % by),
    recording('add', z.strictObject({}), {a: INPUT, b: INPUT}, (_, {a, b}) => first(a) + first(b)),
    recording('more', z.strictObject({by: z.number()}), {a: {...INPUT, optional: true}}, ({by}, {a}) => by + first(a)),
    recording('sum', z.strictObject({}), {points: {...INPUT, many: {over: ['a']}}}, (_, {points}) =>
      rowsSchema.parse(points).reduce((sum, {value}) => sum + value, 0),
    ),
  ].map((stage) => [stage.name, stage]),
);

/** A stage that notes what it is given. */
function recording<P extends z.ZodType<object>, I extends Parameters<typeof defineStage>[0]['inputs']>(
  name: string,
  params: P,
  inputs: I,
  compute: (params: z.output<P>, inputs: Readonly<Record<string, unknown>>) => number,
) {
  return defineStage({
    name,
    version: 1,
    doc: 'For tests.',
    params,
    inputs,
    outputs: {summary: SUMMARY},
    computes: 'plain',
    async run(work) {
      executed.push(workOf(name, work.params, work.inputs));
      return {summary: [{value: compute(work.params, work.inputs)}]};
    },
  });
}

const form = fc.constantFrom('short', 'long', 'backwards');
// Small, so that different inputs often give equal results, and what is only named by its axes is told apart by them.
const small = fc.constantFrom(1, 1, 2, 3);
const own = fc.subarray(['a', 'b'], {minLength: 0});
const sketch = fc.record({
  kind: fc.constantFrom('number', 'mod', 'mod', 'mod', 'add', 'sum', 'sum', 'sum', 'levels'),
  form,
  number: small,
  axes: own,
  one: fc.nat(),
  other: fc.nat(),
});
type Sketch = typeof sketch extends fc.Arbitrary<infer T> ? T : never;
const values = fc.uniqueArray(fc.integer({min: 0, max: 5}), {minLength: 1, maxLength: 3});
const axes = fc.record({a: values, b: values, level: values});

/** A node that takes from those before it; what cannot be as it is sketched becomes a number. */
function nodeOf({kind, form, number, axes, one, other}: Sketch, before: Model): ModelNode {
  const count = before.nodes.length;
  const [from, right] = [one % count, other % count];
  const known = Object.keys(evaluate(before)[from]?.[0]?.axes ?? {}).sort();
  if (kind === 'levels') return {kind, form, constant: number};
  if (kind === 'mod' && count > 0) return {kind, form, from, by: number, axes};
  if (kind === 'add' && count > 0) return {kind, form, left: from, right};
  if (kind === 'sum' && count > 0 && known.length > 0)
    return {kind, form, from, over: known.slice(other % known.length)};
  return {kind: 'number', form, constant: number, axes};
}

function modelOf(sketches: readonly Sketch[], axes: Model['axes'], prefix: string): Model {
  const nodes: ModelNode[] = [];
  for (const next of sketches) nodes.push(nodeOf(next, {prefix, axes, nodes}));
  return {prefix, axes, nodes};
}

/** A pipeline, and what becomes of it by changes of everything that a person might edit. */
const history = fc
  .record({
    sketches: fc.array(sketch, {minLength: 1, maxLength: 7}),
    axes,
    edits: fc.array(
      fc.oneof(
        fc.record({what: fc.constant('number'), at: fc.nat(), to: small}),
        fc.record({what: fc.constant('form'), at: fc.nat(), to: form}),
        {
          weight: 3,
          arbitrary: fc.record({what: fc.constant('axes'), axis: fc.constantFrom('a', 'b', 'level'), to: values}),
        },
        fc.record({what: fc.constant('append'), to: sketch}),
        fc.record({what: fc.constant('rename')}),
        fc.record({what: fc.constant('nothing')}),
      ),
      {minLength: 1, maxLength: 5},
    ),
  })
  .map(({sketches, axes, edits}) => {
    let now = {sketches, axes, prefix: 'n'};
    const models = [modelOf(now.sketches, now.axes, now.prefix)];
    for (const edit of edits) {
      const change = (at: number, to: Partial<Sketch>): void => {
        const place = at % now.sketches.length;
        now = {...now, sketches: now.sketches.map((one, index) => (index === place ? {...one, ...to} : one))};
      };
      if ('axis' in edit) now = {...now, axes: {...now.axes, [edit.axis]: edit.to}};
      else if ('at' in edit) change(edit.at, typeof edit.to === 'number' ? {number: edit.to} : {form: edit.to});
      else if ('to' in edit) now = {...now, sketches: [...now.sketches, edit.to]};
      else if (edit.what === 'rename') now = {...now, prefix: `${now.prefix}x`};
      models.push(modelOf(now.sketches, now.axes, now.prefix));
    }
    return models;
  });

async function runModel(model: Model, store: Store) {
  const graph = graphOf(textOf(model), {}, stages);
  const plan = await makePlan(graph, {store, numerics: 'none'});
  const events: RunEvent[] = [];
  executed.length = 0;
  const result = await runPlan({
    graph,
    plan,
    store,
    numerics: 'none',
    pool: inProcessPool(stages),
    jobs: 2,
    machine: ANY_MACHINE,
    onFailure: 'finish-running',
    wanted: new Set(graph.instances.map(({index}) => index)),
    stop: new AbortController().signal,
    emit: (event) => events.push(event),
  });
  const ran = events.flatMap((event) =>
    event.event === 'instance-finished' && event.outcome === 'ran' ? [event.id] : [],
  );
  return {graph, plan, result, ran, works: executed.toSorted()};
}

const RUNS = process.env.BASIN_ALL ? 2_000 : 30;

test('after any edits exactly the work that was never done runs, as announced, and every result is right', {
  timeout: 0,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (models) => {
      const root = await temporaryFolder();
      const store = await openStore(root);
      try {
        const seen = new Set<string>();
        for (const model of models) {
          const points = evaluate(model);
          const wanted = new Set(points.flat().map(({work}) => work));
          const {graph, plan, result, ran, works} = await runModel(model, store);
          expect(works).toEqual([...wanted].filter((work) => !seen.has(work)).sort());
          for (const work of wanted) seen.add(work);
          const announced = plan.instances.filter(({verdict}) => verdict !== 'cached').map(({instance}) => instance.id);
          expect(ran.filter((id) => !announced.includes(id))).toEqual([]);
          const found = graph.instances.map(({node, axes, index}) =>
            workOf(node, axes, {value: result.records[index]?.outputs.summary?.inline?.[0]?.value}),
          );
          const right = points.flatMap((each, at) =>
            each.map(({axes, value}) => workOf(`${model.prefix}${at}`, axes, {value})),
          );
          expect(found.sort()).toEqual(right.sort());
        }
      } finally {
        await store.close();
        await rm(root, {recursive: true});
      }
    }),
    // A limit for shrinking, which would otherwise take minutes.
    {seed: 11, numRuns: RUNS, interruptAfterTimeLimit: RUNS * 2_000},
  );
});
