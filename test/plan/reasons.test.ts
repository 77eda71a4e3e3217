import {expect, test} from 'vitest';
import {explain, type PlannedRow, plan, run} from '../../src/index.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

const told = (rows: readonly PlannedRow[]) =>
  Object.fromEntries(
    rows.map(({id, verdict, reason}) => [id, verdict === 'cached' ? verdict : `${verdict}: ${reason}`]),
  );

/** A chain whose second step gives the same bytes whatever the first gave. */
const TEXT = `params: {p: 1, q: 1, ks: [1, 2]}
stages:
  one: {run: [sh, -c, 'echo $1 > $2', s, "\${p}", "\${out.o}"], out: {o: file}}
  flat: {run: [sh, -c, 'test -s $1 && echo flat > $2', s, "\${in.i}", "\${out.o}"], in: {i: one.o}, out: {o: file}}
  mid: {run: [cp, "\${in.i}", "\${out.o}"], in: {i: flat.o}, out: {o: file}}
  end: {run: [sh, -c, 'cat $1 $2 > $3; echo $4 >> $3', s, "\${in.i}", "\${in.j}", "\${out.o}", "\${q}"], in: {i: mid.o, j: one.o}, out: {o: file}}
  few: {run: [ls, "\${in.i}"], in: {i: {from: each.o, over: [k]}}}
  each: {run: [cp, "\${in.i}", "\${out.o}"], in: {i: one.o}, out: {o: file}, sweep: {k: "\${ks}"}, env: {K: "\${k}"}}
`;

test('what runs for an edit of its own says that first, and of what runs above it only what then ran', async () => {
  const {file, options, write} = await writtenPipeline(TEXT);
  await run(file, options);
  await write(TEXT.replace('p: 1, q: 1', 'p: 2, q: 2'));
  expect(told(await plan(file, options))).toMatchObject({
    one: 'run: run[4] 1 → 2',
    flat: 'run-unless-cut-off: one runs',
    mid: 'run-unless-cut-off: flat runs',
    end: 'run: run[7] 1 → 2; mid, one run',
    few: 'run-unless-cut-off: each[k=1], each[k=2] run',
  });
  expect(await explain(file, 'end', options)).toMatchObject({
    verdict: 'run',
    reason: 'run[7] 1 → 2; mid, one run',
    changes: [
      {path: 'params.run[7]', before: '1', after: '2'},
      {path: 'inputs.i', after: {awaits: 'mid'}},
      {path: 'inputs.j', after: {awaits: 'one'}},
    ],
  });
  const started: string[] = [];
  const onEvent = (event: {event: string; id?: string; text?: string}) => {
    if (event.event === 'instance-started') started.push(`${event.id}: ${event.text}`);
  };
  expect(await run(file, {...options, onEvent})).toMatchObject({ran: 6, cutOff: 1});
  expect(started).toContain('end: run[7] 1 → 2; one runs');
});

test('what gathers one point less says which, and a new point is only one that runs', async () => {
  const {file, options, write} = await writtenPipeline(TEXT);
  await run(file, options);
  await write(TEXT.replace('ks: [1, 2]', 'ks: [1, 3]'));
  expect(told(await plan(file, options))).toMatchObject({
    'each[k=3]': 'run: has not run before',
    few: 'run: i[k=2] is gone; each[k=3] runs',
  });
  await write(TEXT.replace('ks: [1, 2]', 'ks: [1, 2, 3]'));
  expect(told(await plan(file, options)).few).toBe('run: each[k=3] runs');
});
