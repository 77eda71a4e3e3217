import {accessSync, constants} from 'node:fs';
import {join} from 'node:path';
import {namesIn} from './names-in.ts';
import {StoreError, storeError, systemCode} from './store-error.ts';
import type {StoreLayout} from './store-layout.ts';

/**
 * That every folder that a result may come to can be written to, those that are there: which of them it will be shows only when it was computed, and by then hours
 * may be lost.
 *
 * @throws StoreError with the first that cannot.
 */
export function requireRights({root, keys, blobs, tmp}: StoreLayout): void {
  const doing = 'write a result to';
  const require = (folder: string): void => {
    try {
      accessSync(`${folder}/.`, constants.W_OK | constants.X_OK); // of a file that it is none
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      const told = storeError(error, doing, root);
      if (!(told instanceof StoreError) || told.code !== 'store-no-rights') throw told;
      const message = `Cannot ${doing} the cache at ${root}: no permission to write to ${folder}.`;
      throw new StoreError(told.code, message, told.hint, {cause: error});
    }
  };
  for (const folder of [tmp, keys, blobs]) require(folder);
  for (const folder of [keys, blobs])
    for (const name of namesIn(folder)) if (/^[0-9a-f]{2}$/.test(name)) require(join(folder, name));
}
