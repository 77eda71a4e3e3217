import {rm} from 'node:fs/promises';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {openStore} from '../../src/store/open-store.ts';
import type {Store} from '../../src/store/store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {textOf} from '../rig/model-text.ts';
import {evaluate, type Model, workOf} from '../rig/pipeline-model.ts';
import {axisValues, modelAxes, modelOf, type Sketch, sketchOf, small} from '../rig/pipeline-sketches.ts';
import {graphOf} from '../rig/read-text.ts';
import {executed, recordedStages} from '../rig/recorded-stages.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

const form = fc.constantFrom('short', 'long', 'backwards');
const sketch = sketchOf(
  ['number', 'mod', 'mod', 'mod', 'add', 'sum', 'sum', 'sum', 'levels'],
  ['short', 'long', 'backwards'],
);

/** A pipeline, and what becomes of it by changes of everything that a person might edit. */
const history = fc
  .record({
    sketches: fc.array(sketch, {minLength: 1, maxLength: 7}),
    axes: modelAxes,
    edits: fc.array(
      fc.oneof(
        fc.record({what: fc.constant('number'), at: fc.nat(), to: small}),
        fc.record({what: fc.constant('form'), at: fc.nat(), to: form}),
        {
          weight: 3,
          arbitrary: fc.record({what: fc.constant('axes'), axis: fc.constantFrom('a', 'b', 'level'), to: axisValues}),
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
  const graph = graphOf(textOf(model), {}, recordedStages);
  const plan = await makePlan(graph, {store, numerics: 'none'});
  const events: RunEvent[] = [];
  executed.length = 0;
  const result = await runPlan({
    graph,
    plan,
    store,
    numerics: 'none',
    pool: inProcessPool(recordedStages),
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
          const wanted = new Set(points.flat().flatMap(({work}) => work ?? []));
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
