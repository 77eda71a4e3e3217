import {execFileSync} from 'node:child_process';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {z} from 'zod';
import {BASIN, basin, environment, jsonLines, scratchFolder, startBasin} from './basin.ts';
import {expectContract} from './json-contract.ts';
import {edited, ON_BACKEND, PLAIN} from './study.ts';

// A training that would take minutes; it stops after the step that runs.
const LONG = edited('length: 3it', 'length: 100000it').replace('seed: 2, length: 3it', 'seed: 2, length: 100000it');
const STOPPING = 'Stopping after the step that runs; Ctrl-C again stops at once.';

async function startLong(...args: string[]) {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'long.yaml'), LONG);
  const run = startBasin(['run', 'long.yaml', ...ON_BACKEND, ...args], {cwd});
  onTestFinished(() => {
    if (left(run.pid) !== '') process.kill(-run.pid, 'SIGKILL');
  });
  return {cwd, run};
}

/** What still runs of the session that a process led. */
const left = (session: number): string =>
  execFileSync('ps', ['-eo', 'sess,stat,args'], {encoding: 'utf8'})
    .split('\n')
    .filter((line) => new RegExp(`^\\s*${session}\\s+[^Z]`).test(line))
    .join('\n');

test('Ctrl-C in a terminal, which reaches the whole process group, ends with 130 and a true summary; the next run goes on', async () => {
  const {cwd, run} = await startLong('--json');
  await run.line(/"instance-progress","id":"finetune-/);
  process.kill(-run.pid, 'SIGINT');
  const {code, stdout, stderr} = await run.ended;
  expect(code).toBe(130);
  expect(stderr.trim()).toBe(STOPPING);
  const events = jsonLines(stdout);
  for (const event of events) expectContract('run-event', event);
  expect(events.at(-1)).toMatchObject({event: 'run-finished', ran: 1, cached: 0, failed: 0, skipped: 14});
  await expect.poll(() => left(run.pid)).toBe('');

  const after = await basin(['plan', 'long.yaml', ...ON_BACKEND, '--json'], {cwd});
  const {instances} = z
    .object({instances: z.array(z.looseObject({verdict: z.string()}))})
    .parse(JSON.parse(after.stdout));
  expect(instances.filter(({verdict}) => verdict === 'cached')).toMatchObject([{id: 'pretrain-load'}]);
});

test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s to basin alone ends with 130 and lines for a person',
  async (signal) => {
    const {run} = await startLong();
    await run.line(/^> finetune-/);
    process.kill(run.pid, signal);
    const {code, stdout, stderr} = await run.ended;
    expect(code).toBe(130);
    expect(stderr.trim()).toBe(STOPPING);
    expect(stdout).toMatch(/^ran 1, cached 0, skipped 14 in /m);
    await expect.poll(() => left(run.pid)).toBe('');
  },
);

test.for(['SIGTERM', 'SIGHUP'] as const)('%s to the whole process group keeps the checkpoint', async (signal) => {
  const {cwd, run} = await startLong('--target', 'finetune-A', '--json');
  await run.line(/"instance-progress","id":"finetune-/);
  process.kill(-run.pid, signal);
  expect((await run.ended).code).toBe(130);
  expect(await readdir(join(cwd, 'cache', 'scratch'), {recursive: true})).toContainEqual(
    expect.stringMatching(/\.checkpoint$/),
  );
});

test('under nohup a run outlives the end of its terminal', async () => {
  const cwd = await scratchFolder();
  await writeFile(
    join(cwd, 'p.yaml'),
    `params: {gate: null}
stages:
  a: {run: [sh, -c, 'echo listening; cat "$0"', "\${gate}"]}
`,
  );
  const gate = join(cwd, 'gate');
  execFileSync('mkfifo', [gate]);
  const run = startBasin(['run', 'p.yaml', '--set', `gate=${gate}`, '--json'], {cwd, under: 'nohup'});
  await run.line(/"log","id":"a","line":"listening"/);
  process.kill(-run.pid, 'SIGHUP');
  await writeFile(gate, 'let through');
  const {code, stdout} = await run.ended;
  expect(jsonLines(stdout).at(-1)).toMatchObject({event: 'run-finished', ran: 1, failed: 0});
  expect(code).toBe(0);
});

// Deaf to what would end it gently, so that the first Ctrl-C does not end the run.
const DEAF = `stages:
  before: {run: [sh, -c, 'echo a > \${out.text}'], out: {text: file}}
  deaf: {run: [sh, -c, 'trap "" TERM INT HUP; echo listening; while :; do read -r line < "$0"; done', "\${gate}"], in: {text: before.text}}
  after: {run: [cat, "\${in.log}"], in: {log: deaf.log}}
  beside: {run: [cat, "\${in.log}"], in: {log: deaf.log}}
params: {gate: null}
`;

test('twice ends at once whatever runs, every instance told of and counted, and leaves no process', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'deaf.yaml'), DEAF);
  const gate = join(cwd, 'gate');
  execFileSync('mkfifo', [gate]);
  const run = startBasin(['run', 'deaf.yaml', '--set', `gate=${gate}`, '--json'], {cwd});
  await run.line(/"log","id":"deaf","line":"listening"/);
  process.kill(-run.pid, 'SIGINT');
  await run.told(STOPPING);
  process.kill(-run.pid, 'SIGTERM');
  const {code, stdout} = await run.ended;
  expect(code).toBe(130);
  const events = jsonLines(stdout);
  for (const event of events) expectContract('run-event', event);
  for (const id of ['deaf', 'after', 'beside'])
    expect(events).toContainEqual(expect.objectContaining({event: 'instance-finished', id, outcome: 'skipped'}));
  const totals = {event: 'run-finished', ran: 1, cached: 0, cutOff: 0, failed: 0, skipped: 3};
  expect(events.at(-1)).toMatchObject(totals);
  const runs = join(cwd, 'cache', 'runs');
  const log = (await readdir(runs)).find((name) => name.endsWith('deaf.jsonl')) ?? '';
  expect(jsonLines(await readFile(join(runs, log), 'utf8')).at(-1)).toMatchObject(totals);
  await expect.poll(() => left(run.pid)).toBe('');
});

test('a reader that closes the pipe ends basin quietly', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'plain.yaml'), PLAIN);
  const command = `"$0" run plain.yaml 2>err.txt | head -1; cat err.txt`;
  const told = execFileSync('sh', ['-c', command, BASIN], {
    cwd,
    env: environment(join(cwd, 'cache')),
    encoding: 'utf8',
  });
  expect(told).toBe('> start (has not run before)\n');
});
