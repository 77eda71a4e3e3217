import {spawn, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {delimiter} from 'node:path';
import {performance} from 'node:perf_hooks';
import {NPM} from './install.ts';

export interface Measured {
  /** Wall clock, from before the process is started until it has ended. */
  readonly seconds: number;
  readonly stdout: string;
}

const ENVIRONMENT = {
  ...process.env,
  PATH: `${NPM}${delimiter}${process.env.PATH ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
  DVC_NO_ANALYTICS: '1',
};
const MOST_OUTPUT = 1 << 30;

/** Runs a command to its end. @throws when it fails, with what it wrote. */
export function timed([command = '', ...args]: readonly string[], cwd: string): Measured {
  const started = performance.now();
  const {status, stdout, stderr} = spawnSync(command, args, {
    cwd,
    env: ENVIRONMENT,
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr.slice(-2000)}`);
  return {seconds, stdout};
}

const SAMPLE_MS = 10;

/** Largest resident memory of a command and all it starts, in MiB, sampled on its own so that no timing pays for it; Linux only. */
export async function peakMemory([command = '', ...args]: readonly string[], cwd: string): Promise<number | null> {
  const child = spawn(command, args, {cwd, env: ENVIRONMENT, stdio: 'ignore'});
  let most = 0;
  const sampler = setInterval(() => {
    if (child.pid !== undefined) most = Math.max(most, residentOf(child.pid));
  }, SAMPLE_MS);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  return most === 0 ? null : most;
}

/** Of a process and its descendants, in MiB; 0 where there is no /proc or it has ended. */
function residentOf(pid: number): number {
  try {
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return kib / 1024 + children.reduce((sum, child) => sum + residentOf(Number(child)), 0);
  } catch {
    return 0;
  }
}
