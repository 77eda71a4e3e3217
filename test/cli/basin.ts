import {spawn} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {readManifest} from '../../stages/tensor/manifest.ts';

/** The launcher that a person starts. */
export const BASIN = join(import.meta.dirname, '..', '..', 'bin', 'basin');

/** The fastest back end when it is there, else the one that needs no set-up worth the name. */
export const BACKEND = (await readManifest())?.backend === 'tensorflow' ? 'tensorflow' : 'cpu';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An empty folder; who makes it outside of a test removes it. */
export const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'basin cli '));

/** An empty folder that is gone after the test; a concurrent test hands in its own `onTestFinished`. */
export async function scratchFolder(finished: typeof onTestFinished = onTestFinished): Promise<string> {
  const folder = await makeFolder();
  finished(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

const INHERITED = ['PATH', 'HOME', 'XDG_CACHE_HOME', 'TMPDIR', 'LD_LIBRARY_PATH'];

/** What a plain shell would pass on, with the back end's cache of this user. */
export function environment(cache: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {...Object.fromEntries(inherited), BASIN_CACHE: cache, ...more};
}

export interface Place {
  readonly cwd: string;
  /** The cache's folder; `cache` in `cwd` unless given. */
  readonly cache?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A program that starts it, as nohup does. */
  readonly under?: string;
}

/** Starts basin in a process group of its own, as a shell does. */
export function startBasin(args: readonly string[], {cwd, cache = join(cwd, 'cache'), env, under}: Place) {
  const child = spawn(under ?? BASIN, under === undefined ? args : [BASIN, ...args], {
    cwd,
    env: environment(cache, env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({code, stdout, stderr}));
  });
  const {pid} = child;
  if (pid === undefined) throw new Error(`basin did not start at ${BASIN}`);
  return {
    pid,
    ended,
    /** Resolves when standard error has a text. */
    told: (text: string) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (stderr.includes(text)) resolve();
        };
        child.stderr.on('data', look);
        look();
      }),
    /** The first line of standard output that matches. */
    line: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = (): void => {
          const line = stdout.split('\n').find((candidate) => pattern.test(candidate));
          if (line !== undefined) resolve(line);
        };
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`basin ended without ${pattern}: ${stdout}${stderr}`)));
        look();
      }),
  };
}

export const basin = (args: readonly string[], place: Place): Promise<Ended> => startBasin(args, place).ended;

/** What `--json` printed, a value a line. */
export const jsonLines = (stdout: string): readonly unknown[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

/** No line of a stack trace, nothing of ours that broke. */
export const STACK = /\n\s+at |Internal error|node:internal/;
