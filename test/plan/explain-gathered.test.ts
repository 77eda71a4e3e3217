import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {explain, plan, run} from '../../src/index.ts';

const HEX = expect.stringMatching(/^[0-9a-f]{64}$/);

/** A pipeline in a folder of its own, with `write` to edit it. */
async function pipeline(text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'basin-explain-'));
  onTestFinished(() => rm(folder, {recursive: true}));
  const file = join(folder, 'p.yaml');
  const options = {cache: join(folder, 'cache')};
  const write = (changed: string): Promise<void> => writeFile(file, changed);
  await write(text);
  return {file, options, write};
}

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
  const {file, options, write} = await pipeline(text);
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
  const {file, options, write} = await pipeline(text);
  await run(file, options);
  await write(text.replace('off: 5', 'off: 6'));
  await run(file, {...options, targets: ['x']});
  const {reason, changes} = await explain(file, 'g', options);
  expect(changes).toEqual([{path: 'inputs.tables[k=1]', before: HEX, after: HEX}]);
  expect(reason).toBe('tables[k=1] changed');
});
