import {readdirSync, readFileSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {fail, ok, type Result} from '../base/result.ts';
import {LARGEST_FILE, megabytes} from './file-size.ts';

interface Unopened {
  /** The end of a sentence. */
  readonly reason: string;
  /** The pipelines in the folder that was looked in. */
  readonly beside: readonly string[];
}

/** The content of a file that a pipeline uses. */
export function openFile(path: string): Result<Uint8Array, Unopened> {
  const unopened = (reason: string) => fail({reason, beside: pipelinesIn(dirname(path))});
  try {
    const found = statSync(path);
    // Before it is opened: a pipe that nobody writes to would be waited on for ever.
    if (!found.isFile()) return unopened(found.isDirectory() ? 'it is a folder' : 'it is a pipe or a device');
    if (found.size > LARGEST_FILE) return unopened(`it is ${megabytes(found.size)} large`);
    return ok(readFileSync(path));
  } catch (error) {
    return unopened(whyUnreadable(error));
  }
}

/** Why the system does not give a file, as the end of a sentence. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
      return 'you may not read it';
    default:
      return `it cannot be read (${code})`;
  }
}

function pipelinesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort();
  } catch {
    return [];
  }
}
