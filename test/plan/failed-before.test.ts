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
