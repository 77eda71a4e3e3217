import {readFile, stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {cleanDrafts} from './draft-folders.ts';
import {LocalStore} from './local-store.ts';
import type {Store} from './store.ts';
import {asStoreError, StoreError, systemCode} from './store-error.ts';
import {STORE_FORMAT, type StoreLayout, storeLayout} from './store-layout.ts';

export interface StoreOptions {
  /** Answers from what is there and writes nothing at all. */
  readonly readOnly?: boolean;
}

/**
 * The store in a folder, which is made on the first write and not before.
 *
 * @throws StoreError when the path is a file, cannot be read, or holds a store of another format.
 */
export async function openStore(root: string, options: StoreOptions = {}): Promise<Store> {
  const layout = storeLayout(resolve(root));
  const readOnly = options.readOnly ?? false;
  return asStoreError('open', layout.root, async () => {
    await checkFormat(layout);
    if (!readOnly) await cleanDrafts(layout);
    return new LocalStore(layout, readOnly);
  });
}

async function checkFormat(layout: StoreLayout): Promise<void> {
  const status = await stat(layout.root).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (status && !status.isDirectory())
    throw new StoreError(
      'store-is-a-file',
      `The cache at ${layout.root} is a file, not a folder.`,
      'Move it away, or name another folder with --cache DIR or BASIN_CACHE.',
    );
  const text = await readFile(layout.format, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined || text.trim() === String(STORE_FORMAT)) return;
  const newer = Number(text) > STORE_FORMAT;
  throw new StoreError(
    'store-format',
    newer
      ? `The cache at ${layout.root} was written by a newer basin: it has format ${text.trim()}, and this one knows ${STORE_FORMAT}.`
      : `The cache at ${layout.root} has no format that this basin knows: its FORMAT file says ${JSON.stringify(text.slice(0, 40))}.`,
    newer
      ? 'Update basin, or name another folder with --cache DIR or BASIN_CACHE.'
      : 'Name another folder with --cache DIR or BASIN_CACHE, or delete this one if it is no cache you need.',
  );
}
