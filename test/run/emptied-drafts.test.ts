import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {Job} from '../../src/run/protocol.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import type {JobListener} from '../../src/run/worker-pool.ts';
import {defineStage, type Registry} from '../../src/stage/define-stage.ts';
import {openStore} from '../../src/store/open-store.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {inProcessPool} from '../rig/in-process-pool.ts';
import {graphOf} from '../rig/read-text.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

// Who clears up by hand may empty `tmp/` while a run goes on.

const PIPELINE = `stages:
  value: {uses: number, with: {value: 7}}
  table: {uses: in-table, in: {a: value.summary}}
  file: {uses: in-file, in: {a: table.summary}}
  copy: {run: [cp, "\${in.a}", "\${out.o}"], in: {a: file.o}, out: {o: file}}
  last: {run: [sh, -c, 'cat "$0" "$0" >"$1"', "\${in.a}", "\${out.o}"], in: {a: copy.o}, out: {o: file}}
`;

const TABLE = {kind: 'summary', doc: 'A number.', columns: {value: 'float64'}} as const;
const plain = {version: 1, doc: 'Empties tmp/ while it runs.', params: z.strictObject({}), computes: 'plain'} as const;

test.each(['before', 'while', 'after'])(
  'a run whose drafts are removed %s an instance computes goes on',
  async (when) => {
    const root = join(await temporaryFolder(), 'cache');
    const tmp = join(root, 'tmp');
    const empty = (now: string): void => {
      if (now === when) for (const name of readdirSync(tmp)) rmSync(join(tmp, name), {recursive: true});
    };
    const inTable = defineStage({
      ...{...plain, name: 'in-table', inputs: {a: TABLE}, outputs: {summary: TABLE}},
      async run({inputs}) {
        empty('while');
        return {summary: inputs.a};
      },
    });
    const inFile = defineStage({
      ...{...plain, name: 'in-file', inputs: {a: TABLE}, outputs: {o: {kind: 'file', doc: 'A text.'}}},
      async run({services}) {
        empty('while');
        const path = join(await services.folder(), 'text');
        writeFileSync(path, 'text');
        return {o: {path}};
      },
    });
    const stages: Registry = new Map([...countingStages, ['in-table', inTable], ['in-file', inFile]]);
    const graph = graphOf(PIPELINE, {}, stages);
    const store = await openStore(root);
    const workers = inProcessPool(stages);
    const told: unknown[] = [];
    const {records, totals} = await runPlan({
      ...{graph, store, numerics: 'none', jobs: 1, machine: ANY_MACHINE, onFailure: 'keep-going'},
      plan: await makePlan(graph, {store, numerics: 'none'}),
      pool: {
        stop: workers.stop,
        async run(job: Job, listener: JobListener) {
          empty('before');
          return workers.run(job, listener);
        },
      },
      wanted: new Set(graph.instances.keys()),
      stop: new AbortController().signal,
      emit: (event) => {
        if (event.event !== 'instance-finished') return;
        if (event.failure) told.push(event);
        empty('after');
      },
    });
    expect(told).toEqual([]);
    expect(totals).toMatchObject({ran: 5, failed: 0, skipped: 0});
    const digest = records[4]?.outputs.o?.digest;
    expect(digest && readFileSync(store.blobPath(digest), 'utf8')).toBe('texttext');
    await store.close();
    await (await openStore(root)).close();
    expect(readdirSync(tmp)).toEqual([]);
  },
);
