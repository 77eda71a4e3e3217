import {resolve} from 'node:path';
import {cleanDrafts} from './draft-folders.ts';
import {LocalStore} from './local-store.ts';
import type {Store} from './store.ts';
import {asStoreError} from './store-error.ts';
import {isStore} from './store-format.ts';
import {storeLayout} from './store-layout.ts';

export interface StoreOptions {
  /** Answers from what is there and writes nothing at all. */
  readonly readOnly?: boolean;
}

/**
 * The store in a folder, which is made on the first write and not before.
 *
 * @throws StoreError when the path is a file, cannot be read, holds a store of another format, or something that is no store.
 */
export async function openStore(root: string, options: StoreOptions = {}): Promise<Store> {
  const layout = storeLayout(resolve(root));
  const readOnly = options.readOnly ?? false;
  return asStoreError('open', layout.root, async () => {
    if (isStore(layout) && !readOnly) await cleanDrafts(layout);
    return new LocalStore(layout, readOnly);
  });
}
