import {cp, mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from './basin.ts';

/** Two points, of which the second fails, saying whose it is. */
const failing = (whose: string): string => `stages:
  n:
    run: [sh, -c, 'echo "${whose} is broken"; [ "$1" = 1 ] && echo "[{\\"v\\": 1}]" >"$0"', "\${out.t}", "\${p}", ${whose}]
    out: {t: {kind: summary, columns: {v: float64}}}
    sweep: {p: [1, 2]}
`;

test('failures and logs are those of the pipeline that is asked about, as it is now', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'A.yaml'), failing('A'));
  await writeFile(join(cwd, 'B.yaml'), `name: A\n${failing('B')}`);
  expect(await basin(['run', 'A.yaml', '--keep-going'], {cwd})).toMatchObject({code: 1});
  expect(await basin(['run', 'B.yaml', '--target', 'n[p=1]'], {cwd})).toMatchObject({code: 0});
  const ofB = await basin(['show', 'B.yaml', 'n.t', '--format', 'csv'], {cwd});
  expect(ofB).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('n[p=2] has not run')});
  expect(ofB.stderr).not.toContain('sh ended');
  expect((await basin(['log', 'B.yaml', 'n[p=2]'], {cwd})).stdout).toBe('n[p=2] has not run in this cache.\n');
  expect((await basin(['log', 'A.yaml', 'n[p=2]'], {cwd})).stdout).toContain('A is broken');
  const ofA = await basin(['show', 'A.yaml', 'n.t', '--format', 'json'], {cwd});
  expect(JSON.parse(ofA.stdout)).toEqual([
    {p: 1, v: 1},
    {p: 2, failed: 'sh ended with exit code 1.'},
  ]);
  // What failed was another program than the one there is now.
  await writeFile(join(cwd, 'A.yaml'), failing('C'));
  expect(await basin(['run', 'A.yaml', '--target', 'n[p=1]'], {cwd})).toMatchObject({code: 0});
  const edited = await basin(['show', 'A.yaml', 'n.t'], {cwd});
  expect(edited).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/n\[p=2\] has not run as the pipeline is now\.\n/),
  });
});

const BODY =
  '{source: random, model: {model: mlp, image_size: 2, num_channels: 1, hidden: [3], labels: 2}, seed: SEED}';
const body = (node: string, seed: number): string =>
  `stages: {${node}: {uses: pretrain-load, with: ${BODY.replace('SEED', String(seed))}}}\n`;

async function explained(cwd: string, file: string): Promise<unknown> {
  const {stdout} = await basin(['explain', file, 'n', '--json'], {cwd});
  const {changes}: {changes: unknown} = JSON.parse(stdout);
  return changes;
}
const seedFrom = (before: number, after: number) => [expect.objectContaining({path: 'params.seed', before, after})];

/** Reasons for which payloads would go, were there no room for any. */
async function evictions(cwd: string): Promise<readonly string[]> {
  const {stdout} = await basin(['cache', 'gc', '--budget', '0B', '--dry-run', '--json', '--cache', 'cache'], {cwd});
  return [...stdout.matchAll(/"reason":"([a-z]+)"/g)].map(([, reason = '']) => reason).sort();
}

test('pipelines of one file name in two folders are told apart, and a folder may move with its cache', async () => {
  const cwd = await scratchFolder();
  for (const folder of ['a', 'b']) await mkdir(join(cwd, folder));
  await writeFile(join(cwd, 'a', 'exp.yaml'), body('n', 1));
  await writeFile(join(cwd, 'b', 'exp.yaml'), body('n', 2));
  for (const folder of ['a', 'b']) expect(await basin(['run', `${folder}/exp.yaml`], {cwd})).toMatchObject({code: 0});
  expect(new Set(await evictions(cwd))).toEqual(new Set(['cheap']));
  await writeFile(join(cwd, 'a', 'exp.yaml'), body('n', 3));
  expect(await explained(cwd, 'a/exp.yaml')).toEqual(seedFrom(1, 3));
  const moved = join(cwd, 'moved');
  await mkdir(moved);
  for (const name of ['a', 'b', 'cache']) await cp(join(cwd, name), join(moved, name), {recursive: true});
  expect(await explained(moved, 'a/exp.yaml')).toEqual(seedFrom(1, 3));
  expect((await basin(['log', 'b/exp.yaml', 'n'], {cwd: moved})).stdout).toContain('ran after');
});

test('the log of a result is found by its key, whichever pipeline computed it', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'first.yaml'), body('n', 1));
  await writeFile(join(cwd, 'second.yaml'), body('m', 1));
  await basin(['run', 'first.yaml'], {cwd});
  expect((await basin(['log', 'second.yaml', 'm'], {cwd})).stdout).toMatch(
    /^m, .*-first\.jsonl:\nstarted: .*\nran after /,
  );
  await writeFile(join(cwd, 'first.yaml'), body('n', 2));
  await basin(['run', 'first.yaml'], {cwd});
  await writeFile(join(cwd, 'first.yaml'), body('n', 1));
  const [older = '', newer = ''] = (await readdir(join(cwd, 'cache', 'runs')))
    .filter((name) => name.includes('-first'))
    .sort();
  const log = (await basin(['log', 'first.yaml', 'n'], {cwd})).stdout;
  expect(log).toContain(older.replace('.jsonl', ''));
  expect(log).not.toContain(newer.replace('.jsonl', ''));
});

test('what an older basin noted by name serves until the pipeline has run again', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'exp.yaml'), body('n', 1));
  await writeFile(join(cwd, 'broken.yaml'), failing('A'));
  await basin(['run', 'exp.yaml'], {cwd});
  await basin(['run', 'broken.yaml', '--keep-going'], {cwd});
  const runs = join(cwd, 'cache', 'runs');
  for (const name of await readdir(runs)) {
    const lines = (await readFile(join(runs, name), 'utf8')).split('\n');
    const old = lines.flatMap((line) => {
      if (/"event":"(pipeline|key)"/.test(line)) return [];
      return line.replace(/"pipeline":"[^"]*?(exp|broken)(\.yaml)?"/, '"pipeline":"$1"').replace(/"name":"[^"]*",/, '');
    });
    await writeFile(join(runs, name), old.join('\n'));
  }
  for (const name of await readdir(join(cwd, 'cache')))
    if (name.startsWith('index')) await rm(join(cwd, 'cache', name));
  expect((await basin(['log', 'broken.yaml', 'n[p=2]'], {cwd})).stdout).toContain('A is broken');
  expect((await basin(['log', 'exp.yaml', 'n'], {cwd})).stdout).toContain('ran after');
  await writeFile(join(cwd, 'exp.yaml'), body('n', 2));
  expect(await explained(cwd, 'exp.yaml')).toEqual(seedFrom(1, 2));
  await basin(['run', 'exp.yaml'], {cwd});
  expect((await evictions(cwd)).filter((reason) => reason === 'superseded').length).toBeGreaterThan(0);
  await writeFile(join(cwd, 'exp.yaml'), body('n', 3));
  expect(await explained(cwd, 'exp.yaml')).toEqual(seedFrom(2, 3));
});
