import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines} from '../cli/basin.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

/** A program that gives a table of these rows; what it is told is an axis that it sweeps. */
const gives = (
  rows: string,
  told = "''",
) => `run: [sh, -c, 'printf "%s" "$1" > "$2"', sh, '${rows}', "\${out.f}", ${told}],
    out: {f: {kind: summary, columns: {v: float64}}}`;
const axis = (name: string): string => `"\${${name}}"`;

const TEXT = `stages:
  mixed: {${gives('[{"v": 1}]', axis('m'))}, sweep: {m: [5, "x"]}}
  named: {${gives('[{"v": 1}]', axis('v'))}, sweep: {v: [1, 2]}}
  empty: {${gives('[]')}}
  plain: {${gives('[{"v": 4}]')}}
expect:
  - {of: plain.f, that: "v > 100"}
  - {of: mixed.f, where: "m > 2", that: "v < 100"}
  - {of: mixed.f, that: "double(m) > 1"}
  - {of: named.f, that: "axis_v < v"}
  - {of: empty.f, where: "v > 2", that: "v < 100"}
  - {of: plain.f, that: "v > 1"}
`;

const DETAILS = [
  'plain.f: 1 of 1 rows fail, the first is v=4',
  'mixed.f: The condition "m > 2" does not fit the row m=x v=1: There is no "string > number": the types do not go together.',
  'mixed.f: The condition "double(m) > 1" does not fit the row m=x v=1: The expression is not right: number() type error: cannot convert to number.',
  'named.f: 2 of 2 rows fail, the first is axis_v=1 v=1',
  'empty.f: The table is empty.',
  'plain.f: met',
];

test('a claim that cannot be held to its table is not met, and neither the others nor the end of the run are lost', async () => {
  const {folder: cwd} = await writtenPipeline(TEXT);
  const {code, stdout, stderr} = await basin(['run', 'p.yaml', '--json'], {cwd});
  expect({code, stderr}).toEqual({code: 1, stderr: ''});
  const told = (text: string) =>
    jsonLines(text).flatMap((line) => {
      const event = Object(line);
      return event.event === 'expectation' ? [`${event.of}: ${event.met ? 'met' : event.detail}`] : [];
    });
  expect(told(stdout)).toEqual(DETAILS);
  const last = {
    event: 'run-finished',
    ran: 6,
    cached: 0,
    cutOff: 0,
    failed: 0,
    skipped: 0,
    seconds: expect.any(Number),
  };
  expect(jsonLines(stdout).at(-1)).toEqual(last);
  const [log = ''] = await readdir(join(cwd, 'cache', 'runs'));
  const kept = await readFile(join(cwd, 'cache', 'runs', log), 'utf8');
  expect(told(kept)).toEqual(DETAILS);
  expect(jsonLines(kept).at(-1)).toMatchObject({event: 'run-finished', ran: 6});

  const again = await basin(['run', 'p.yaml'], {cwd});
  expect(again.code).toBe(1);
  expect(again.stdout).toContain('✓ expected plain.f: v > 1\n');
});

test('what is made of a gather that went without a point is marked as that is, and no claim on it is met', async () => {
  const table = 'out: {f: {kind: summary, columns: {v: float64}}}';
  const takes = `run: [sh, -c, 'test -s $1 && echo "[{\\"v\\": 1}]" > $2', sh, "\${in.a}", "\${out.f}"], ${table}`;
  const {folder: cwd} = await writtenPipeline(`stages:
  point: {run: [sh, -c, 'test $1 != 2 && echo "[{\\"v\\": $1}]" > $2', sh, "\${k}", "\${out.f}"], ${table}, sweep: {k: [1, 2, 3]}}
  gather: {${takes}, in: {a: {from: point.f, over: [k]}}}
  below: {${takes}, in: {a: gather.f}}
  lowest: {${takes}, in: {a: below.f}}
  skipped: {${takes}, in: {a: point.f, b: below.f}}
  beside: {${gives('[{"v": 3}]')}}
expect:
  - {of: gather.f, that: "v > 0"}
  - {of: lowest.f, that: "v > 0"}
  - {of: skipped.f, that: "v > 0"}
  - {of: beside.f, that: "v > 0"}
`);
  const ended = await basin(['run', 'p.yaml', '--keep-going'], {cwd});
  const lines = ended.stdout.split('\n');
  const claims = lines.findIndex((line) => line.includes('expected'));
  expect(lines.slice(claims, claims + 7)).toEqual([
    '✗ expected gather.f: v > 0',
    '  gather is made without what failed: point[k=2].',
    '✗ expected lowest.f: v > 0',
    '  lowest is made without what failed: point[k=2].',
    '✗ expected skipped.f: v > 0',
    '  skipped[k=1] is made without what failed: point[k=2].',
    '✓ expected beside.f: v > 0',
  ]);
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('instance')) + 2);
  expect(rows.slice(0, rows.indexOf('')).map((row) => row.replace(/ +\S+$/, ''))).toEqual([
    ...[
      'point[k=1]',
      'point[k=3]',
      'gather (without 1 failed)',
      'below (without 1 failed)',
      'lowest (without 1 failed)',
    ],
    ...['skipped[k=1] (without 1 failed)', 'skipped[k=3] (without 1 failed)', 'beside'],
  ]);
});

test('what a failure has left out is told by what failed, and is no matter of claims on other points', async () => {
  const rows = gives('[{"v": 1}]', axis('m')).replace('printf', '[ "$3" != 2 ] && printf');
  const {folder: cwd} = await writtenPipeline(`stages:
  made: {${rows}, sweep: {m: [1, 2, 3]}}
  mean: {uses: summarize, in: {tables: {from: made.f, over: [m]}}, with: {columns: [v]}}
expect:
  - {of: made.f, that: "v < 100"}
  - {of: made.f, where: "m > 2", that: "v < 100"}
  - {of: made.f, where: "m > 1 && v > 0", that: "v < 100"}
  - {of: made.f, where: "m > 9", that: "v < 100"}
  - {of: mean.summary, that: "n == 3"}
`);
  const told = async (...options: readonly string[]) =>
    jsonLines((await basin(['run', 'p.yaml', '--json', ...options], {cwd})).stdout).flatMap((line) => {
      const event = Object(line);
      return event.event === 'expectation' ? [event.met ? 'met' : event.detail] : [];
    });
  expect(await told('--jobs', '1')).toEqual([
    'made[m=2] failed.',
    'made[m=3] did not run: the run ended before at what failed. With --keep-going it goes on.',
    'made[m=2] failed.',
    'made[m=2] failed.',
    'mean did not run, since made[m=2] failed.',
  ]);
  const show = async (name: string) => (await basin(['show', 'p.yaml', name, '--format', 'json'], {cwd})).stdout;
  expect(JSON.parse(await show('made.f'))).toEqual([
    {m: 1, v: 1},
    {m: 2, failed: expect.stringContaining('sh ended with exit code')},
    {m: 3, failed: 'It was not begun: the run ended before.'},
  ]);
  expect((await basin(['show', 'p.yaml', 'mean.summary'], {cwd})).stderr).toContain(
    'When it was last tried: It was skipped, since made[m=2] failed.',
  );
  expect(await told('--keep-going')).toEqual([
    'made[m=2] failed.',
    'met',
    'made[m=2] failed.',
    'made[m=2] failed.',
    'mean is made without what failed: made[m=2].',
  ]);
});
