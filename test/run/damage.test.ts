import {expect, test} from 'vitest';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import type {Job} from '../../src/run/protocol.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import type {JobEnd, JobListener, WorkerPlace} from '../../src/run/worker-pool.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

const TEXT = (by: number, alpha: number) => `stages:
  sum: {uses: number, with: {value: 19}}
  rest: {uses: mod, in: {a: sum.summary}, with: {by: ${by}}}
  point: {uses: scale, in: {a: sum.summary}, with: {alpha: ${alpha}}}
`;

test.each(['before', 'after'] as const)(
  'what read a damaged payload is tried again when it says so %s that was made anew',
  async (when) => {
    await using rig = await PipelineRig.create();
    await rig.run(TEXT(5, 0));
    const graph = rig.graph(TEXT(4, 0.5));
    await rig.withPool(async (real) => {
      await rig.withStore(async (store) => {
        const plan = await makePlan(graph, {store, numerics: 'none'});
        const digest = plan.instances[0]?.record?.outputs.summary?.digest;
        if (!digest) throw new Error('sum has no record');
        const damaged: JobEnd = {end: 'failed', why: 'damaged-inputs', digests: [digest], logTail: []};
        const sumAgain = Promise.withResolvers<void>();
        const asked = {mod: 0, scale: 0};
        const pool = {
          stop: () => {},
          async run(job: Job, listener: JobListener, place: WorkerPlace): Promise<JobEnd> {
            if (job.stage.name === 'mod' && asked.mod++ === 0) return damaged;
            if (job.stage.name === 'scale' && asked.scale++ === 0)
              return when === 'before' ? damaged : sumAgain.promise.then(() => damaged);
            return real.run(job, listener, place);
          },
        };
        const events: RunEvent[] = [];
        const {totals} = await runPlan({
          ...{graph, plan, store, numerics: 'none', pool, jobs: 2, machine: ANY_MACHINE},
          onFailure: 'finish-running',
          wanted: new Set(graph.instances.map(({index}) => index)),
          stop: new AbortController().signal,
          emit: (event) => {
            events.push(event);
            if (event.event === 'instance-finished' && event.id === 'sum' && event.outcome === 'ran')
              sumAgain.resolve();
          },
        });
        expect(totals).toMatchObject({ran: 3, cached: 0, failed: 0, skipped: 0});
        expect(asked).toEqual({mod: 2, scale: 2});
        expect(events.filter(({event}) => event === 'warning')).toHaveLength(1);
        expect(events).toContainEqual({
          ...{event: 'instance-started', id: 'sum'},
          ...{reason: {why: 'output-lost'}, text: 'a stored output of it is missing or damaged'},
        });
      });
    });
  },
);

const EQUAL = (by: number) => `stages:
  sum: {uses: number, with: {value: 19}}
  same: {uses: number, with: {value: 19}}
  rest: {uses: mod, in: {a: sum.summary}, with: {by: ${by}}}
  other: {uses: mod, in: {a: same.summary}, with: {by: ${by + 1}}}
`;

test('two instances of equal work that are both found damaged lose their record once, before it is made anew', async () => {
  await using rig = await PipelineRig.create();
  await rig.run(EQUAL(5));
  const graph = rig.graph(EQUAL(7));
  await rig.withPool(async (real) => {
    await rig.withStore(async (store) => {
      const plan = await makePlan(graph, {store, numerics: 'none'});
      const {key, record} = plan.instances[0] ?? {};
      const digest = record?.outputs.summary?.digest;
      if (!key || !digest) throw new Error('sum has no record');
      expect(plan.instances[1]?.key).toBe(key);
      const damaged: JobEnd = {end: 'failed', why: 'damaged-inputs', digests: [digest], logTail: []};
      const bothAsked = Promise.withResolvers<void>();
      const order: string[] = [];
      let asked = 0;
      const pool = {
        stop: () => {},
        async run(job: Job, listener: JobListener, place: WorkerPlace): Promise<JobEnd> {
          if (job.stage.name === 'number') order.push('made anew');
          if (job.stage.name !== 'mod' || ++asked > 2) return real.run(job, listener, place);
          if (asked === 2) bothAsked.resolve();
          await bothAsked.promise;
          return damaged;
        },
      };
      const forget = store.forget.bind(store);
      Object.assign(store, {
        async forget(...what: Parameters<typeof forget>) {
          await bothAsked.promise;
          await forget(...what);
          order.push('forgotten');
        },
      });
      const {totals} = await runPlan({
        ...{graph, plan, store, numerics: 'none', pool, jobs: 2, machine: ANY_MACHINE},
        onFailure: 'finish-running',
        wanted: new Set(graph.instances.map(({index}) => index)),
        stop: new AbortController().signal,
        emit: () => {},
      });
      expect(totals).toMatchObject({ran: 3, cached: 1, failed: 0, skipped: 0});
      expect(order).toEqual(['forgotten', 'made anew']);
      expect(store.records([key]).has(key)).toBe(true);
    });
  });
});
