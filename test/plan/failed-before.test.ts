import {expect, test} from 'vitest';
import {explain, type PlannedRow, plan, run} from '../../src/index.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

const told = (rows: readonly PlannedRow[]) =>
  Object.fromEntries(rows.map(({id, verdict, reason}) => [id, `${verdict}: ${reason}`]));

test('what ran and failed says so, with the first line of why; what was only skipped has not run', async () => {
  const text = `params: {code: 3}
stages:
  x: {run: [sh, -c, 'exit $1', s, "\${code}"]}
  below: {run: [cat, "\${in.x}"], in: {x: x.log}}
`;
  const {file, options, write} = await writtenPipeline(text);
  expect(told(await plan(file, options)).x).toBe('run: has not run before');
  const started: string[] = [];
  const listen = {...options, onEvent: (event: {event: string; text?: string}) => void started.push(event.text ?? '')};
  await run(file, options);
  const failed = 'failed when it last ran: sh ended with exit code 3.';
  expect(told(await plan(file, options))).toEqual({x: `run: ${failed}`, below: 'run: has not run before'});
  expect((await explain(file, 'x', options)).reason).toBe(failed);
  await run(file, listen);
  expect(started).toContain(failed);

  await write(text.replace('code: 3', 'code: 0'));
  await run(file, options);
  await write(text.replace('code: 3', 'code: 4'));
  expect(told(await plan(file, options)).x).toBe('run: run[4] 0 → 4');
  await run(file, options);
  expect(told(await plan(file, options)).x).toBe('run: failed when it last ran: sh ended with exit code 4.');
  expect((await explain(file, 'x', options)).changes).toEqual([{path: 'params.run[4]', before: '0', after: '4'}]);
  await write(text.replace('code: 3', 'code: 0'));
  expect(told(await plan(file, options)).x).toBe('cached: cached');
});

test('what gathered without its failed points is planned as what a repeat does: cut off, unless they end well', async () => {
  const text = `params: {ill: [2], ks: [1, 2, 3]}
stages:
  sc:
    run: [sh, -c, 'if [ $1 = true ]; then exit 3; fi; echo "[{\\"e\\": $2}]" > $3', s, "\${k in ill}", "\${k}", "\${out.f}"]
    out: {f: {kind: summary, columns: {e: float64}}}
    sweep: {k: "\${ks}"}
  mid: {run: [cp, "\${in.a}", "\${out.f}"], in: {a: sc.f}, out: {f: file}}
  g: {run: [cat, "\${in.a}"], in: {a: {from: sc.f, over: [k]}}}
  m: {run: [ls, "\${in.a}"], in: {a: {from: mid.f, over: [k]}}}
`;
  const {file, options, write} = await writtenPipeline(text);
  const keepGoing = {...options, onFailure: 'keep-going'} as const;
  expect(await run(file, keepGoing)).toMatchObject({ran: 6, failed: 1, skipped: 1});
  expect(told(await plan(file, options))).toMatchObject({
    'sc[k=2]': 'run: failed when it last ran: sh ended with exit code 3.',
    g: 'run-unless-cut-off: sc[k=2] runs',
    m: 'run-unless-cut-off: mid[k=2] runs',
  });
  expect(await run(file, keepGoing)).toMatchObject({ran: 0, cutOff: 2, failed: 1, skipped: 1});

  // no record can serve with a point that was never tried
  await write(text.replace('[1, 2, 3]', '[1, 2, 3, 4]'));
  expect(told(await plan(file, options))).toMatchObject({
    g: expect.stringMatching(/^run: /),
    m: expect.stringMatching(/^run: /),
  });
  await write(text.replace('ill: [2]', 'ill: []'));
  expect(told(await plan(file, options))).toMatchObject({
    g: 'run-unless-cut-off: sc[k=2] runs',
    m: 'run-unless-cut-off: mid[k=2] runs',
  });
  expect(await run(file, options)).toMatchObject({ran: 4, failed: 0});
});

test('what gathered without a point that failed may be cut off, though that point was edited or ended well since', async () => {
  const text = `params: {ill: 3, note: a}
stages:
  sc:
    run: [sh, -c, 'if [ $1 = true ]; then exit 3; fi; echo "[{\\"e\\": $2}]" > $3', s, "\${k == ill}", "\${k}", "\${out.f}", "\${note}"]
    out: {f: {kind: summary, columns: {e: float64}}}
    sweep: {k: [1, 2, 3]}
  mid: {run: [cp, "\${in.a}", "\${out.f}"], in: {a: sc.f}, out: {f: file}}
  g: {run: [ls, "\${in.a}"], in: {a: {from: mid.f, over: [k]}}}
`;
  const {file, options, write} = await writtenPipeline(text);
  const keepGoing = {...options, onFailure: 'keep-going'} as const;
  expect(await run(file, keepGoing)).toMatchObject({ran: 5, failed: 1, skipped: 1});
  const edited = text.replace('note: a', 'note: b');
  await write(edited);
  expect(told(await plan(file, options)).g).toBe('run-unless-cut-off: mid[k=1], mid[k=2], mid[k=3] run');
  expect(await run(file, keepGoing)).toMatchObject({ran: 2, cutOff: 3, failed: 1, skipped: 1});

  await write(edited.replace('ill: 3', 'ill: 2'));
  expect(told(await plan(file, options)).g).toBe('run-unless-cut-off: mid[k=2], mid[k=3] run');
  expect(await run(file, keepGoing)).toMatchObject({ran: 3, cached: 2, failed: 1, skipped: 1});
  await write(edited);
  expect(told(await plan(file, options))).toMatchObject({
    'mid[k=3]': 'run-unless-cut-off: sc[k=3] runs',
    g: 'run-unless-cut-off: mid[k=3] runs',
  });
  expect(await run(file, keepGoing)).toMatchObject({ran: 0, cached: 4, cutOff: 1, failed: 1, skipped: 1});
});
