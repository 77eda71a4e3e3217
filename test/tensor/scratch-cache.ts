import {mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {SetupReporter} from '../../stages/tensor/backend.ts';
import {findProgram} from '../../stages/tensor/machine.ts';

/** Sets an environment variable for the time of the test. */
export function setEnv(name: string, value: string | undefined): void {
  const before = process.env[name];
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
  onTestFinished(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'basin tensor '));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** Gives the test a user cache of its own, empty; returns basin's folder in it. */
export function useEmptyCache(): string {
  const folder = scratchFolder();
  setEnv('XDG_CACHE_HOME', folder);
  return join(folder, 'basin');
}

/** Leaves of the PATH only links to these programs, as far as this machine has them. */
export function usePathOf(...programs: readonly string[]): string {
  const folder = scratchFolder();
  for (const name of programs) {
    const path = findProgram([name]);
    if (path) symlinkSync(path, join(folder, name));
  }
  setEnv('PATH', folder);
  return folder;
}

/** A reporter that keeps its lines. */
export function listening(): SetupReporter & {readonly lines: string[]} {
  const lines: string[] = [];
  return {lines, line: (text) => lines.push(text), progress: () => {}};
}
