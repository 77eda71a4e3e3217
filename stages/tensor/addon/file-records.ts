import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfFile} from '../../../src/base/digested-files.ts';

export interface FileRecord {
  /** Path inside its folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The list of what a folder consists of, written last. */
const FILES_FILE = 'files.json';

/** Writes down what a folder consists of; the folder is whole from then on. */
export async function recordFiles(folder: string, paths: readonly string[]): Promise<readonly FileRecord[]> {
  const files = await Promise.all(
    paths.map(async (path) => ({
      path,
      bytes: (await stat(join(folder, path))).size,
      sha256: await digestOfFile(join(folder, path)),
    })),
  );
  await writeFile(join(folder, FILES_FILE), `${JSON.stringify(files, null, 2)}\n`);
  return files;
}

function isFileRecord(value: unknown): value is FileRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'path' in value &&
    typeof value.path === 'string' &&
    'bytes' in value &&
    typeof value.bytes === 'number' &&
    'sha256' in value &&
    typeof value.sha256 === 'string'
  );
}

export interface VerifiedFiles {
  readonly files: readonly FileRecord[];
  /** Paths of those that are not as they were recorded: missing, or another SHA-256. */
  readonly damaged: readonly string[];
}

/** Compares a folder's files with their record; nothing where there is no record. */
export async function verifyFiles(folder: string): Promise<VerifiedFiles | undefined> {
  let files: unknown;
  try {
    files = JSON.parse(await readFile(join(folder, FILES_FILE), 'utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(files) || files.length === 0 || !files.every(isFileRecord)) return undefined;
  const states = await Promise.all(
    files.map(async ({path, sha256}) => (await digestOfFile(join(folder, path)).catch(() => '')) === sha256),
  );
  return {files, damaged: files.filter((_, i) => !states[i]).map(({path}) => path)};
}
