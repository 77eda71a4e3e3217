import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {Job} from '../../src/run/protocol.ts';
import {WorkerPool} from '../../src/run/worker-pool.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

const JOB: Job = {
  ...{id: 1, driver: process.pid, store: '', inputs: {}, points: [], modules: {}, pinned: [], timeOut: undefined},
  stage: {name: 'any', origin: {from: 'registry'}},
};

/** How a job ends on workers of which the first so many are hit by a signal before their own code runs, and how many were started. */
async function endOf(hits: number, signal: string) {
  const folder = await temporaryFolder();
  const script = join(folder, 'worker.mjs');
  const starts = join(folder, 'starts');
  await writeFile(
    script,
    `import {appendFileSync, readFileSync} from 'node:fs';
appendFileSync(${JSON.stringify(starts)}, '.');
if (readFileSync(${JSON.stringify(starts)}).length <= ${hits}) process.kill(process.pid, ${JSON.stringify(signal)});
else process.on('message', ({job}) => process.send({say: 'done', job: job.id}));
`,
  );
  const pool = new WorkerPool({script, arguments: [], threads: 1});
  const listener = {progress() {}, log() {}, warning() {}, point() {}};
  const end = await pool.run(JOB, listener, {gpus: [], threads: undefined});
  await pool.close();
  return {end, started: (await readFile(starts, 'utf8')).length};
}

test.each(['SIGHUP', 'SIGTERM', 'SIGINT'])(
  'a worker that %s for the whole process group hits while it starts is started once more',
  async (signal) => {
    expect(await endOf(1, signal)).toEqual({end: {end: 'done'}, started: 2});
    expect(await endOf(2, signal)).toMatchObject({end: {end: 'died', how: `signal ${signal}`}, started: 2});
  },
);

test('a worker that is killed is not: that is what retries are for', async () => {
  expect(await endOf(1, 'SIGKILL')).toMatchObject({end: {end: 'died', how: 'signal SIGKILL'}, started: 1});
});

test('a line of any length that a stage prints is told as far as somebody reads', async () => {
  const folder = await temporaryFolder();
  const script = join(folder, 'worker.mjs');
  await writeFile(script, "process.on('message', () => process.stdout.write('x'.repeat(9_000_000) + '\\nend\\n'));\n");
  const pool = new WorkerPool({script, arguments: [], threads: 1});
  const lines: string[] = [];
  await new Promise<void>((resolve) => {
    const log = (line: string): void => {
      lines.push(line);
      if (line === 'end') resolve();
    };
    const listener = {progress() {}, log, warning() {}, point() {}};
    void pool.run(JOB, listener, {gpus: [], threads: undefined});
  });
  pool.kill();
  await pool.close();
  expect(lines).toEqual([`${'x'.repeat(2000)}… (8998000 more bytes)`, 'end']);
});
