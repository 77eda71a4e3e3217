import {spawnSync} from 'node:child_process';
import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {run, table} from '../../src/index.ts';
import {writable} from '../rig/writable.ts';
import {BASIN, basin, environment, jsonLines, scratchFolder} from './basin.ts';

// A table with more rows than a record takes is in its file alone, and nobody but a reader may need that.

const ROWS = `awk -v from="$1" 'BEGIN {printf "["; for (i = 0; i < 100; i++) printf "%s{\\"x\\": %d}", i ? ", " : "", from + i; print "]"}' > "$2"
echo made
`;
const CLAIM = 'expect: [{of: held.table, that: "x >= 0.0"}]\n';
const PIPELINE = `stages:
  held: {run: [sh, rows.sh, "\${from}", "\${out.table}"], files: [rows.sh], out: {table: {kind: summary, columns: {x: float64}}}, sweep: {from: [0, 1]}}
  free: {run: [sh, rows.sh, "5", "\${out.table}"], files: [rows.sh], out: {table: {kind: summary, columns: {x: float64}}}}
  few: {run: [sh, -c, 'test -s "$0" && echo "[{\\"n\\": 1}]" >"$1"', "\${in.rows}", "\${out.table}"], in: {rows: held.table}, out: {table: {kind: summary, columns: {n: float64}}}}
${CLAIM}plots: [{name: both, data: {from: free.table}, mark: point, encoding: {x: {field: x, type: quantitative}}}]
`;

async function afterRun() {
  const cwd = await scratchFolder();
  const cache = join(cwd, 'cache');
  await writeFile(join(cwd, 'rows.sh'), ROWS);
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const runJson = async (...args: string[]) => {
    const {code, stdout} = await basin(['run', 'p.yaml', '--json', ...args], {cwd});
    const events = jsonLines(stdout);
    const ran = jsonLines(stdout).flatMap((line) =>
      typeof line === 'object' && line !== null && 'outcome' in line && 'id' in line && line.outcome === 'ran'
        ? [line.id]
        : [],
    );
    return {code, ran: ran.sort(), events, last: events.at(-1)};
  };
  const verdicts = async (...args: string[]) => {
    const {stdout} = await basin(['plan', 'p.yaml', '--json', ...args], {cwd});
    const planned: {instances: {id: string; verdict: string; reason: string; seconds: number}[]} = JSON.parse(stdout);
    return planned.instances;
  };
  const blobs = async () =>
    (await readdir(join(cache, 'blobs'), {recursive: true, withFileTypes: true}))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const damage = async (...args: string[]) => {
    await basin(['show', 'p.yaml', ...args, '--format', 'arrow', '--output', 'whole.arrow'], {cwd});
    const whole = await readFile(join(cwd, 'whole.arrow'));
    for (const path of await blobs()) {
      const content = await readFile(path);
      if (!content.equals(whole)) continue;
      content[whole.length >> 1] = (content[whole.length >> 1] ?? 0) + 1;
      await writeFile(writable(path), content);
      return path;
    }
    throw new Error('there is no such blob');
  };
  const gc = () => basin(['cache', 'gc', '--budget', '0'], {cwd});
  const show = (...args: string[]) => basin(['show', 'p.yaml', ...args], {cwd});
  expect(await runJson()).toMatchObject({code: 0, last: {ran: 5, cached: 0}});
  return {cwd, cache, runJson, verdicts, blobs, damage, gc, show};
}

/** Types what a message says to type. */
const typed = (told: string, cwd: string) =>
  spawnSync(
    'sh',
    [
      '-c',
      told
        .split('\n')
        .find((line) => line.includes(BASIN))
        ?.replace(/^[^/]*/, '') ?? 'false',
    ],
    {
      cwd,
      env: environment(join(cwd, 'cache')),
      encoding: 'utf8',
    },
  );

test('a file that an expectation reads is planned and made again when it is gone, and nothing else is', {
  timeout: 120_000,
}, async () => {
  const {cwd, gc, runJson, verdicts} = await afterRun();
  await gc();
  const planned = await verdicts();
  expect(planned.filter(({verdict}) => verdict === 'run').map(({id}) => id)).toEqual(['held[from=0]', 'held[from=1]']);
  expect(planned.find(({id}) => id === 'held[from=1]')).toMatchObject({
    reason: 'its table file is needed and no longer in the cache',
    seconds: expect.toSatisfy((seconds: number) => seconds > 0),
  });
  expect(planned.find(({id}) => id === 'free')).toMatchObject({verdict: 'cached', seconds: 0});
  // A claim is about a whole table: of a part of it nothing is read.
  expect((await verdicts('--target', 'held[from=0]')).map(({verdict}) => verdict)).toEqual(['cached']);
  expect(await runJson('--target', 'held[from=0]')).toMatchObject({code: 0, ran: []});

  expect(await runJson()).toMatchObject({
    code: 0,
    ran: ['held[from=0]', 'held[from=1]'],
    last: {ran: 2, cached: 1, cutOff: 2},
  });
  expect((await verdicts()).filter(({verdict}) => verdict !== 'cached')).toEqual([]);
  await writeFile(join(cwd, 'p.yaml'), PIPELINE.replace(CLAIM, ''));
  await gc();
  expect(await runJson()).toMatchObject({code: 0, ran: [], last: {ran: 0, cached: 5}});
});

test('what an expectation finds damaged is made again in the same run', async () => {
  const {damage, runJson, verdicts} = await afterRun();
  const path = await damage('held[from=1].table');
  const mended = await runJson();
  expect(mended).toMatchObject({code: 0, ran: ['held[from=1]'], last: {ran: 1, cached: 4}});
  expect(mended.events).toContainEqual({
    event: 'warning',
    message: 'A stored output of held[from=1] is missing or damaged; it is computed again.',
  });
  expect(mended.events).toContainEqual(expect.objectContaining({event: 'expectation', met: true}));
  expect(await readFile(path)).toBeInstanceOf(Uint8Array);
  expect((await verdicts()).filter(({verdict}) => verdict !== 'cached')).toEqual([]);
  expect(await runJson()).toMatchObject({code: 0, ran: []});
});

test('where a run ends before it can make again what an expectation finds damaged, the next one does', async () => {
  const {cwd, damage, runJson} = await afterRun();
  const failing = `  failing: {run: ["false"]}\n${CLAIM}`;
  await writeFile(join(cwd, 'p.yaml'), PIPELINE.replace(CLAIM, failing));
  await damage('held[from=0].table');
  const cut = await runJson();
  expect(cut).toMatchObject({code: 1, ran: []});
  expect(cut.events).toContainEqual(
    expect.objectContaining({
      event: 'expectation',
      met: false,
      detail: 'held[from=0].table is damaged in the store. The next run computes it again.',
    }),
  );
  const next = await runJson('--keep-going');
  expect(next).toMatchObject({code: 1, ran: ['held[from=0]']});
  expect(next.events).toContainEqual(expect.objectContaining({event: 'expectation', met: true}));
});

test('what "show" cannot show it brings back by the command that it names', {timeout: 120_000}, async () => {
  const {cwd, gc, damage, runJson, show, blobs} = await afterRun();
  const path = await damage('free.table');
  const damaged = await show('free.table');
  expect(damaged).toEqual({
    code: 1,
    stdout: '',
    stderr: `not-stored: free.table is damaged in the store.\nTo compute it again: ${BASIN} run p.yaml --target free.table\n`,
  });
  expect(await blobs()).not.toContain(path);
  expect(typed(damaged.stderr, cwd)).toMatchObject({status: 0, stdout: expect.stringContaining('ran 1, cached 0')});
  expect((await show('free.table', '--format', 'csv')).stdout.split('\n')).toHaveLength(102);

  await gc();
  const plot = await show('plots.both');
  expect(plot.stderr).toContain('free.table is missing in the store.');
  expect(typed(plot.stderr, cwd).status).toBe(0);
  expect(await show('plots.both')).toMatchObject({code: 0, stderr: ''});

  const folder = await show('held[from=1]', '--to', 'all');
  expect(folder.stderr).toContain(`--target 'held[from=1].table'`);
  expect(typed(folder.stderr, cwd)).toMatchObject({status: 0, stdout: expect.stringContaining('ran 1, cached 0')});
  expect(await show('held[from=1]', '--to', 'all')).toMatchObject({code: 0, stderr: ''});

  // Its rows are in its record, its Arrow file is not.
  expect(await show('few[from=0].table', '--format', 'arrow')).toMatchObject({
    stderr: expect.stringContaining(`--target 'few[from=0].table'`),
  });
  expect(await runJson('--target', 'few[from=0].table')).toMatchObject({
    ran: ['few[from=0]', 'held[from=0]'],
  });
  expect(await show('few[from=0].table', '--format', 'arrow', '--output', 'n.arrow')).toMatchObject({code: 0});
});

test('the library says what brings a table back, and that does', async () => {
  const {cwd, cache, gc} = await afterRun();
  await gc();
  const file = join(cwd, 'p.yaml');
  const missing = {
    code: 'not-stored',
    message: 'free.table is missing in the store.',
    hint: "To compute it again, run it with {targets: ['free.table']}.",
  };
  await expect(table(file, 'free.table', {cache})).rejects.toMatchObject({faults: [missing]});
  expect(await run(file, {cache, targets: ['free.table']})).toMatchObject({ran: 1, cached: 0});
  expect(await table(file, 'free.table', {cache})).toHaveLength(100);
});

test('a file that is gone hides nothing that is in records, also where an edit will need it', async () => {
  const {cwd, gc, show} = await afterRun();
  await gc();
  const last = `  last: {run: [cat, "\${in.rows}"], in: {rows: few.table}}\n`;
  await writeFile(join(cwd, 'p.yaml'), PIPELINE.replace(CLAIM, last));
  expect(await show('few.table', '--format', 'csv')).toEqual({code: 0, stdout: 'from,n\n0,1\n1,1\n', stderr: ''});
});

test('"log" of a result whose log is gone everywhere names a command that gives it one', async () => {
  const {cwd, cache, gc} = await afterRun();
  await gc();
  await rm(join(cache, 'runs'), {recursive: true});
  const told = await basin(['log', 'p.yaml', 'free'], {cwd});
  expect(told).toEqual({
    code: 0,
    stdout: `free is stored, but what it wrote is no longer in the cache.\nTo run it again: ${BASIN} run p.yaml --target free.log\n`,
    stderr: '',
  });
  expect(typed(told.stdout, cwd)).toMatchObject({status: 0, stdout: expect.stringContaining('ran 1, cached 0')});
  expect((await basin(['log', 'p.yaml', 'free'], {cwd})).stdout).toContain('stored with its result:');
});
