import {existsSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {expect} from 'vitest';
import {isKey} from '../../src/base/digest.ts';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {parseRecordOf} from '../../src/store/record-file.ts';
import {blobPath} from '../../src/store/store-layout.ts';

async function filesIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  return entries.filter((entry) => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
}

/** Every blob is what its name says, every record whole and its blobs there; gives how many records there are. */
export async function expectIntact(cache: string): Promise<number> {
  for (const path of await filesIn(join(cache, 'blobs')))
    expect(`${await digestOfFile(path)}.arrow`).toBe(basename(path));
  const records = await filesIn(join(cache, 'keys'));
  for (const path of records) {
    const key = basename(path, '.json');
    const record = isKey(key) ? parseRecordOf(key, await readFile(path, 'utf8')) : undefined;
    expect(record, path).toBeDefined();
    for (const {digest} of Object.values(record?.outputs ?? {})) expect(existsSync(blobPath(cache, digest))).toBe(true);
  }
  return records.length;
}

/** Names of what is left of drafts; an index may be there or not. */
export const draftsLeft = async (cache: string): Promise<readonly string[]> => [
  ...(await filesIn(join(cache, 'tmp'))),
  ...(await filesIn(join(cache, 'scratch'))),
];
