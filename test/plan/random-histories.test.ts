import {readFile, rm, writeFile} from 'node:fs/promises';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Digest} from '../../src/base/digest.ts';
import type {Graph} from '../../src/graph/graph.ts';
import {upstreamOf} from '../../src/plan/generations.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {openStore} from '../../src/store/open-store.ts';
import type {Store} from '../../src/store/store.ts';
import {storeLayout} from '../../src/store/store-layout.ts';
import {storedPayloads} from '../../src/store/stored-files.ts';
import {verifyStore} from '../../src/store/verify-store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {textOf} from '../rig/model-text.ts';
import {evaluate, type Model, type Point, workOf} from '../rig/pipeline-model.ts';
import {axisValues, modelAxes, modelOf, type Sketch, sketchOf, small} from '../rig/pipeline-sketches.ts';
import {graphOf} from '../rig/read-text.ts';
import {executed, recordedStages} from '../rig/recorded-stages.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

// Stages that give other bytes each time, stages that fail, payloads that are evicted or damaged, nodes that are forced, runs of a part, files that are
// read when a run has ended, and edits between all of them. What is held against: what each point's result is by the definition of its node, and what was computed before.

const sketch = sketchOf(
  ['number', 'dice', 'dice', 'dice', 'mod', 'mod', 'mod', 'add', 'add', 'sum', 'sum', 'at-most', 'levels'],
  ['short', 'zipped', 'excluded', 'included'],
);

interface Step {
  readonly model: Model;
  /** What becomes of the cache before it is planned. */
  readonly loss: {readonly how: 'none' | 'evict' | 'damage'; readonly share: number};
  /** A node's position, and a position among the instances; both are taken modulo how many there are. */
  readonly force: number | undefined;
  readonly target: number | undefined;
  /** The position of a node whose files are read when it has run. */
  readonly read: number | undefined;
}

const edit = fc.oneof(
  fc.record({what: fc.constant('number' as const), at: fc.nat(), to: small}),
  fc.record({what: fc.constant('axes' as const), axis: fc.constantFrom('a', 'b', 'level'), to: axisValues}),
  fc.record({what: fc.constant('append' as const), to: sketch}),
  fc.record({what: fc.constant('nothing' as const)}),
);

const history: fc.Arbitrary<readonly Step[]> = fc
  .record({
    sketches: fc.array(sketch, {minLength: 1, maxLength: 7}),
    axes: modelAxes,
    steps: fc.array(
      fc.record({
        edit,
        loss: fc.record({
          how: fc.constantFrom('none', 'evict', 'evict', 'damage'),
          share: fc.constantFrom(0, 0.3, 0.7),
        }),
        force: fc.option(fc.nat(), {freq: 3, nil: undefined}),
        target: fc.option(fc.nat(), {freq: 3, nil: undefined}),
        read: fc.option(fc.nat(), {freq: 3, nil: undefined}),
      }),
      {minLength: 2, maxLength: 6},
    ),
  })
  .map(({sketches: first, axes: firstAxes, steps}) => {
    let [sketches, axes]: [readonly Sketch[], Model['axes']] = [first, firstAxes];
    return steps.map(({edit, loss, ...rest}): Step => {
      switch (edit.what) {
        case 'number': {
          const place = edit.at % sketches.length;
          sketches = sketches.map((one, index) => (index === place ? {...one, number: edit.to} : one));
          break;
        }
        case 'axes':
          axes = {...axes, [edit.axis]: edit.to};
          break;
        case 'append':
          sketches = [...sketches, edit.to];
          break;
        case 'nothing':
          break;
      }
      return {model: modelOf(sketches, axes, 'n'), loss, ...rest};
    });
  });

/** Every other payload or so is damaged, the same ones each time. */
async function lose(store: Store, {how, share}: Step['loss']): Promise<void> {
  const payloads = [];
  for await (const payload of storedPayloads(storeLayout(store.root))) payloads.push(payload);
  const bytes = payloads.reduce((sum, payload) => sum + payload.bytes, 0);
  if (how === 'evict') await collectGarbage(store, {budget: bytes * share, dryRun: false});
  if (how !== 'damage') return;
  const damaged = payloads.sort((a, b) => (a.name < b.name ? -1 : 1)).filter((_, at) => (at * 0.37) % 1 >= share);
  for (const {path} of damaged) {
    const content = await readFile(path);
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) + 1; // never back to what it was, as ^ 1 would after two losses
    await writeFile(path, content);
  }
}

function withUpstream(graph: Graph, index: number): ReadonlySet<number> {
  const wanted = new Set<number>();
  const stack = [index];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (wanted.has(next)) continue;
    wanted.add(next);
    const instance = graph.instances[next];
    if (instance) stack.push(...upstreamOf(instance));
  }
  return wanted;
}

async function runStep({model, force, target, read}: Step, store: Store) {
  const graph = graphOf(textOf(model), {}, recordedStages);
  const node = force === undefined ? undefined : `n${force % model.nodes.length}`;
  const forced = new Set(graph.instances.flatMap(({node: of, index}) => (of === node ? [index] : [])));
  const wanted =
    target === undefined ? new Set(graph.instances.keys()) : withUpstream(graph, target % graph.instances.length);
  const asked = graph.instances.flatMap(({node: of, index}) =>
    read !== undefined && of === `n${read % model.nodes.length}` && wanted.has(index)
      ? [{index, artifact: 'summary'}]
      : [],
  );
  const planning = {store, numerics: 'none', wanted, asked};
  const plan = await makePlan(graph, {...planning, forced});
  const events: RunEvent[] = [];
  executed.length = 0;
  const {records, totals} = await runPlan({
    ...{graph, plan, ...planning, wanted, pool: inProcessPool(recordedStages), jobs: 2, machine: ANY_MACHINE},
    onFailure: 'keep-going',
    stop: new AbortController().signal,
    emit: (event) => events.push(event),
  });
  const works = executed.slice();
  const again = await makePlan(graph, planning);
  return {graph, forced, wanted, asked, plan, again, events, records, totals, works};
}
type Ran = Awaited<ReturnType<typeof runStep>>;

/** Every point of the model with the instance that it is; what dice gave is taken from the results. */
function pointsOf({model}: Step, {graph, records}: Ran): ReadonlyMap<number, Point> {
  const at = (node: string, axes: object): string => workOf(node, axes, {});
  const indices = new Map(graph.instances.map(({node, axes, index}) => [at(node, axes), index]));
  const place = (points: readonly (readonly Point[])[]) =>
    points.flatMap((each, node) =>
      each.map((point): [number | undefined, Point] => [indices.get(at(`n${node}`, point.axes)), point]),
    );
  const drawn = new Map<string, number>();
  for (const [index, {work}] of place(evaluate(model))) {
    const value = index === undefined ? undefined : records[index]?.outputs.summary?.inline?.[0]?.value;
    if (work?.startsWith('["dice"') && typeof value === 'number') drawn.set(work, value);
  }
  const found = new Map<number, Point>();
  for (const [index, point] of place(evaluate(model, drawn))) {
    if (index === undefined) throw new Error(`there is no instance at ${JSON.stringify(point.axes)}`);
    found.set(index, point);
  }
  expect(found.size).toBe(graph.instances.length);
  return found;
}

/** The works whose stored results cannot be read. */
async function lostWorks(store: Store, results: ReadonlyMap<string, Digest>) {
  const lost = new Set<string>();
  let isDamaged = false;
  for (const [work, digest] of results) {
    const bytes = await store.readBlob(digest);
    if (!(bytes instanceof Uint8Array)) lost.add(work);
    isDamaged ||= bytes === 'damaged';
  }
  return {lost, isDamaged};
}

function expectHonest({plan, events, works}: Ran, isDamaged: boolean): void {
  const ran = new Set(
    events.flatMap((event) =>
      event.event === 'instance-finished' && (event.outcome === 'ran' || event.outcome === 'failed') ? [event.id] : [],
    ),
  );
  const unplanned = plan.instances.filter(({instance, verdict}) => verdict === 'cached' && ran.has(instance.id));
  const warned = events.filter(({event}) => event === 'warning').length;
  if (isDamaged) expect(unplanned.length === 0 || warned > 0).toBe(true);
  else expect(unplanned.map(({instance}) => instance.id)).toEqual([]);
  if (!isDamaged) expect(new Set(works).size).toBe(works.length);
}

const RUNS = process.env.BASIN_ALL ? 3_000 : 40;

test('whatever is lost, forced, failing or random, every result is of what its upstream has, and only what must be is computed', {
  timeout: 0,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const root = await temporaryFolder();
      const store = await openStore(root);
      const results = new Map<string, Digest>();
      try {
        for (const step of steps) {
          await lose(store, step.loss);
          const {lost, isDamaged} = await lostWorks(store, results);
          const before = new Set(results.keys());
          const ran = await runStep(step, store);
          const points = pointsOf(step, ran);
          const forcedWorks = new Set([...ran.forced].flatMap((index) => points.get(index)?.work ?? []));
          const readWorks = new Set(ran.asked.flatMap(({index}) => points.get(index)?.work ?? []));
          expectHonest(ran, isDamaged);

          const wantedWorks = new Set<string>();
          let failures = 0;
          for (const index of ran.wanted) {
            const {value, work} = points.get(index) ?? {};
            const output = ran.records[index]?.outputs.summary;
            expect(output?.inline?.[0]?.value, ran.graph.instances[index]?.id).toBe(value);
            if (value === undefined || work === undefined || output === undefined) failures += 1;
            else {
              wantedWorks.add(work);
              results.set(work, output.digest);
            }
          }
          const {totals, works} = ran;
          expect(totals.ran + totals.cached + totals.cutOff).toBe(ran.wanted.size - failures);
          expect(totals.failed + totals.skipped).toBe(failures);

          const isNew = (work: string) => !before.has(work);
          expect([...wantedWorks].filter((work) => isNew(work) && !works.includes(work))).toEqual([]);
          // What was found damaged is computed, also where dice above it, thrown anew, fall so that it has the work of another.
          const isRedrawn = isDamaged && works.some((work) => work.startsWith('["dice"'));
          const known = works.filter((work) => before.has(work) && !lost.has(work) && !forcedWorks.has(work));
          if (!isRedrawn) expect(known).toEqual([]);
          // A payload that is gone is made again only for something that runs or reads it; what is then thrown anew may cut that off.
          const isCause = (work: string) => isNew(work) || forcedWorks.has(work) || work.startsWith('["dice"');
          const isReadLost = [...readWorks].some((work) => lost.has(work));
          if (!isReadLost && !works.some(isCause)) expect(works).toEqual([]);

          for (const {index} of ran.asked) {
            const output = ran.records[index]?.outputs.summary;
            if (output) expect(await store.readBlob(output.digest)).toBeInstanceOf(Uint8Array);
          }
          const isAll = ran.wanted.size === ran.graph.instances.length;
          const left = ran.again.instances.filter(({verdict}) => verdict !== 'cached');
          if (isAll && failures === 0) expect(left.map(({instance}) => instance.id)).toEqual([]);
          expect(await verifyStore(store)).toMatchObject({damagedRecords: [], falseTables: [], differsInIndex: []});
        }
      } finally {
        await store.close();
        await rm(root, {recursive: true});
      }
    }),
    {seed: 13, numRuns: RUNS, interruptAfterTimeLimit: RUNS * 2_000},
  );
});
