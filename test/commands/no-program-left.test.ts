import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {scratchFolder, startBasin} from '../cli/basin.ts';

/** Says its process id and goes on for ever, deaf to what would end it gently. */
const PIPELINE = `
stages:
  endless: {run: [sh, -c, 'trap "" TERM INT HUP; echo "pid $$"; while :; do sleep 1; done']}
`;

/** Resolves when no process has this id any more; a killed one that nobody waited for counts as gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (status === undefined || /^\d+ \(.*\) Z/.test(status)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function start(pipeline = PIPELINE) {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), pipeline);
  const run = startBasin(['run', 'p.yaml', '--verbose'], {cwd});
  const pid = Number(/pid (\d+)/.exec(await run.line(/pid \d+/))?.[1]);
  expect(pid).toBeGreaterThan(1);
  return {run, pid};
}

test.skipIf(process.platform !== 'linux')('a driver that is killed leaves no program behind', async () => {
  const {run, pid} = await start();
  process.kill(run.pid, 'SIGKILL');
  await gone(pid);
});

test.skipIf(process.platform !== 'linux')('Ctrl-C ends a program that is deaf to it, within its grace', async () => {
  const {run, pid} = await start();
  process.kill(-run.pid, 'SIGINT');
  expect((await run.ended).code).toBe(130);
  await gone(pid);
});

/** Says the process id of what it starts in a session of its own, which holds no pipe, and goes on after it or ends before it. */
const leaving = (then: string): string => `
stages:
  leaves:
    run:
      - sh
      - -c
      - |
        mkdir deep
        setsid sh -c 'cd deep; echo "pid $$" >../pid; exec sleep 600' >/dev/null 2>&1 &
        until [ -s pid ]; do :; done
        cat pid
        ${then}
`;

test.skipIf(process.platform !== 'linux')('what a program leaves in a session of its own ends with it', async () => {
  const {run, pid} = await start(leaving('exit 0'));
  expect((await run.ended).code).toBe(0);
  await gone(pid);
});

test.skipIf(process.platform !== 'linux')(
  'what a program leaves in a session of its own ends with the driver',
  async () => {
    const {run, pid} = await start(leaving('sleep 600'));
    process.kill(run.pid, 'SIGKILL');
    await gone(pid);
  },
);
