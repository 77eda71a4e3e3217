import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {BASIN, basin, scratchFolder} from './basin.ts';

/** Nodes that copy a table each, one for each `n`, and one of its own. */
const PIPELINE = `params: {ns: [1, 2, 3]}
stages:
  t: {run: [cp, "\${n}.json", "\${out.t}"], files: ["1.json", "2.json", "3.json"], out: {t: {kind: summary, columns: {loss: float64}}}, sweep: {n: "\${ns}"}}
  long: {run: [cp, long.json, "\${out.t}"], files: [long.json], out: {t: {kind: summary, columns: {value: float64}}}}
`;
const EXPECT = `expect:
  - {of: t.t, that: "loss < 1.0"}
  - {of: t.t, where: "n == 1", that: "loss < 2.0"}
  - {of: long.t, that: "value < 1.0"}
`;

const rows = (column: string, count: number): string =>
  JSON.stringify(Array.from({length: count}, (_, i) => ({[column]: i})));

async function folderWith(tables: Readonly<Record<string, string>>): Promise<string> {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  await Promise.all(Object.entries(tables).map(([name, text]) => writeFile(join(cwd, `${name}.json`), text)));
  return cwd;
}

/** What a run prints below its totals, without colours. */
async function end(cwd: string, ...args: readonly string[]): Promise<string> {
  const {code, stdout} = await basin(['run', 'p.yaml', ...args], {cwd});
  expect(code, stdout).toBe(0);
  return stdout.slice(stdout.indexOf('\n', stdout.indexOf('cached ')) + 1);
}

const LOOK = (table: string): string => `
Arrow tables: cache, by digest. To look at one:
  ${BASIN} show p.yaml ${table}
  ${BASIN} show p.yaml 't[n=1].t' --format arrow --output t.arrow
`;

test('a point that diverged is in the table at the end, also when it is stored; what is too long for one is named', {
  timeout: 60_000,
}, async () => {
  const cwd = await folderWith({
    1: '[{"loss": 0.5}, {"loss": -0.0}]',
    2: '[{"loss": Infinity}, {"loss": -Infinity}]',
    3: rows('loss', 9),
    long: rows('value', 65),
  });
  const expected = `
instance       loss
────────  ─────────
t[n=1]          0.5
t[n=1]            0
t[n=2]     Infinity
t[n=2]    -Infinity

(not shown: t[n=3].t, 9 rows: ${BASIN} show p.yaml t.t)
(not shown: long.t, 65 rows: ${BASIN} show p.yaml long.t)
${LOOK('t.t')}`;
  expect(await end(cwd)).toBe(expected);
  expect(await end(cwd)).toBe(expected);
  expect(await basin(['cache', 'verify'], {cwd})).toMatchObject({code: 0, stderr: ''});
});

test('of several summaries that are too long it is said how many', {timeout: 60_000}, async () => {
  const nine = rows('loss', 9);
  const cwd = await folderWith({1: '[]', 2: nine, 3: nine, long: rows('value', 1)});
  expect(await end(cwd)).toContain(`\n(not shown: t.t of 2 of 3 instances, 18 rows: ${BASIN} show p.yaml t.t)\n`);
});

test('a run of one point names commands that show it, and the expectations that are left for a run of all', {
  timeout: 60_000,
}, async () => {
  const nine = rows('loss', 9);
  const cwd = await folderWith({1: nine, 2: '[{"loss": 0.5}]', 3: '[]', long: rows('value', 1)});
  await writeFile(join(cwd, 'p.yaml'), PIPELINE + EXPECT);
  const one = await basin(['run', 'p.yaml', '--target', 't[n=1]', '--target', 't[n=2]'], {cwd});
  expect(one).toMatchObject({code: 0, stderr: ''});
  expect(one.stdout).toContain(
    'warning Only a part of t is wanted, so these expectations are not looked at: t.t: loss < 1.0; t.t where n == 1: loss < 2.0\n',
  );
  expect(one.stdout).not.toContain('value < 1.0');
  expect(one.stdout).toContain(`
(not shown: t[n=1].t, 9 rows: ${BASIN} show p.yaml 't[n=1].t')
${LOOK("'t[n=1].t'")}`);
  const other = await basin(['run', 'p.yaml', '--target', 'long'], {cwd});
  expect(other.code).toBe(0);
  expect(other.stdout).not.toContain('warning');
  expect(other.stdout).toContain('✓ expected long.t: value < 1.0\n');
});
