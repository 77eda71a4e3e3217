import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from './basin.ts';

/** A table that a program wrote, one point of three of which diverged, and the same once more of what was shown. */
const PIPELINE = `params: {ns: [1, 2, 3]}
stages:
  t: {run: [cp, "\${n}.json", "\${out.t}"], files: ["1.json", "2.json", "3.json"], out: {t: {kind: summary, columns: {loss: float64, other: float64}}}, sweep: {n: "\${ns}"}}
plots:
  - {name: p, data: {from: t.t}, mark: {type: line, point: true}, encoding: {x: {field: n, type: quantitative}, y: {field: loss, type: quantitative}}}
  - {name: sum, data: {from: t.t}, mark: bar, encoding: {y: {aggregate: sum, field: other, type: quantitative}}}
`;
const AGAIN = `stages:
  t: {run: [cp, shown.json, "\${out.t}"], files: [shown.json], out: {t: {kind: summary, columns: {n: int32, loss: float64, other: float64}}}}
`;
const WRITTEN = [
  '[{"loss": 0.5, "other": 1}]',
  '[{"loss": Infinity, "other": 2}]',
  '[{"loss": -Infinity, "other": 3}]',
];

async function ranFolder(): Promise<string> {
  const cwd = await scratchFolder();
  await Promise.all(WRITTEN.map((text, i) => writeFile(join(cwd, `${i + 1}.json`), text)));
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  expect(await basin(['run', 'p.yaml', '--quiet'], {cwd})).toMatchObject({code: 0, stderr: ''});
  return cwd;
}

test('infinity is shown in every format, and what is shown as JSON is a table to a program and to basin', async () => {
  const cwd = await ranFolder();
  const show = async (...args: string[]) => {
    const {code, stdout, stderr} = await basin(['show', ...args], {cwd});
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    return stdout;
  };
  expect(await show('p.yaml', 't.t', '--format', 'csv')).toBe('n,loss,other\n1,0.5,1\n2,Infinity,2\n3,-Infinity,3\n');
  const json = await show('p.yaml', 't.t', '--format', 'json');
  expect(json).toBe(
    `[
  {
    "n": 1,
    "loss": 0.5,
    "other": 1
  },
  {
    "n": 2,
    "loss": 1e999,
    "other": 2
  },
  {
    "n": 3,
    "loss": -1e999,
    "other": 3
  }
]
`,
  );
  expect(await show('p.yaml', 't.t', '--json')).toBe(json);
  expect(await show('p.yaml', 't.t', '--json', '--format', 'json')).toBe(json);
  expect(JSON.parse(json)).toEqual([
    {n: 1, loss: 0.5, other: 1},
    {n: 2, loss: Number.POSITIVE_INFINITY, other: 2},
    {n: 3, loss: Number.NEGATIVE_INFINITY, other: 3},
  ]);
  await writeFile(join(cwd, 'shown.json'), json);
  await writeFile(join(cwd, 'again.yaml'), AGAIN);
  expect(await basin(['run', 'again.yaml', '--quiet'], {cwd})).toMatchObject({code: 0, stderr: ''});
  expect(await show('again.yaml', 't.t', '--format', 'json')).toBe(json);
});

test('a plot draws nothing for infinity, and says so', async () => {
  const cwd = await ranFolder();
  const said = 'p: t.t has an infinite "loss" in 2 of 3 rows, which the plot takes for missing.\n';
  const drawn = await basin(['show', 'p.yaml', 'plots.p'], {cwd});
  expect(drawn).toMatchObject({code: 0, stderr: said});
  expect(drawn.stdout).toContain('aria-label="n: 1; loss: 0.5"');
  expect(drawn.stdout).not.toMatch(/NaN|n: [23];/);
  const json = await basin(['show', 'p.yaml', 'plots.p', '--format', 'json'], {cwd});
  expect(await basin(['show', 'p.yaml', 'plots.p', '--json'], {cwd})).toEqual(json);
  expect(json).toMatchObject({code: 0, stderr: said});
  expect(JSON.parse(json.stdout).datasets['t.t']).toEqual([
    {n: 1, loss: 0.5, other: 1},
    {n: 2, loss: null, other: 2},
    {n: 3, loss: null, other: 3},
  ]);
  // of a column that it does not draw it says nothing
  expect(await basin(['show', 'p.yaml', 'plots.sum'], {cwd})).toMatchObject({code: 0, stderr: ''});
});
