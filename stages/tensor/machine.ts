import {accessSync, closeSync, constants, openSync, readSync, statSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, isAbsolute, join} from 'node:path';
import {digestOf} from '../../src/base/digest.ts';

/** basin's folder among the user's caches (XDG base directory specification: a relative XDG_CACHE_HOME is ignored). */
export function userCacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'basin');
}

/** The first of some programs that the PATH has, as an absolute path. No process is started. */
export function findProgram(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // not here
      }
    }
  }
  return undefined;
}

/** Enough of /proc/cpuinfo for its first processor; the whole of it takes long on machines with many. */
const FIRST_PROCESSOR_BYTES = 8192;

/** Instruction-set flags of this processor as the system names them, sorted; empty where the system does not tell. */
export function cpuFlags(): readonly string[] {
  try {
    const file = openSync('/proc/cpuinfo', 'r');
    try {
      const bytes = Buffer.alloc(FIRST_PROCESSOR_BYTES);
      const text = bytes.toString('latin1', 0, readSync(file, bytes));
      return (/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? '').split(/\s+/).filter(Boolean).sort();
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

/** Short name of this processor's instruction set: equal flags, equal name. */
export const instructionSet = (): string => digestOf(cpuFlags().join(' ')).slice(0, 8);

/** Version of the GNU C library that this Node runs on, or nothing where it is another one (musl, macOS). */
export function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  Object.assign(process.report, {excludeNetwork: true}); // else it looks up the names of all open connections
  const report: {header?: {glibcVersionRuntime?: unknown}} = process.report.getReport();
  const version = report.header?.glibcVersionRuntime;
  return typeof version === 'string' ? version : undefined;
}

/** Whether dotted version `a` is at least `b`. */
export function atLeast(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const [i, part] of (right ?? []).entries()) {
    const other = left?.[i] ?? 0;
    if (other !== part) return other > part;
  }
  return true;
}
