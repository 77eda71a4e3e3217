import {expect, test} from 'vitest';
import {explain, plan, run} from '../../src/index.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

const HEX = expect.stringMatching(/^[0-9a-f]{64}$/);

const reasonOf = (rows: Awaited<ReturnType<typeof plan>>, id: string): string | undefined =>
  rows.find((row) => row.id === id)?.reason;

test('one member of a gathered input that changed is one line, in whatever order its axes are written', async () => {
  const text = `params: {off: 5}
stages:
  x:
    run: [sh, -c, 'echo "[{\\"v\\": $1}]" > $2', s, "\${seed == 1 && keep == 1 ? off : seed + keep}", "\${out.f}"]
    out: {f: {kind: summary, columns: {v: float64}}}
    sweep: {seed: [1, 2], keep: [1, 2]}
  g: {run: [wc, -c, "\${in.a}"], in: {a: {from: x.f, over: [seed, keep]}}}
`;
  const {file, options, write} = await writtenPipeline(text);
  await run(file, options);
  await write(text.replace('off: 5', 'off: 6'));
  await run(file, {...options, targets: ['x']});
  const {reason, changes} = await explain(file, 'g', options);
  expect(changes).toEqual([{path: 'inputs.a[keep=1,seed=1]', before: HEX, after: HEX}]);
  expect(reason).toBe('a[keep=1,seed=1] changed');
  expect(reasonOf(await plan(file, options), 'g')).toBe(reason);
});

test('members whose axis values are a number and the text of it are told apart', async () => {
  const text = `params: {off: 5}
stages:
  x:
    run: [sh, -c, 'echo "[{\\"v\\": $1}]" > $2', s, "\${type(k) == string ? 7.0 : double(off)}", "\${out.f}"]
    out: {f: {kind: summary, columns: {v: float64}}}
    sweep: {k: [1, "1"]}
  g: {uses: summarize, in: {tables: {from: x.f, over: [k]}}, with: {columns: [v]}}
`;
  const {file, options, write} = await writtenPipeline(text);
  await run(file, options);
  await write(text.replace('off: 5', 'off: 6'));
  await run(file, {...options, targets: ['x']});
  const {reason, changes} = await explain(file, 'g', options);
  expect(changes).toEqual([{path: 'inputs.tables[k=1]', before: HEX, after: HEX}]);
  expect(reason).toBe('tables[k=1] changed');
});
