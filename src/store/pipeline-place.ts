import {realpathSync} from 'node:fs';
import {basename, dirname, join, relative} from 'node:path';
import type {Graph} from '../graph/graph.ts';
import {systemCode} from './store-error.ts';

/** Which pipeline something was noted for, in the notes of a store and in its logs; in no key and in no artifact. */
export interface PipelinePlace {
  /** Its file as seen from the store, so that a project may move with its cache. */
  readonly place: string;
  /** What older versions noted in its stead, which may be that of several. */
  readonly name: string;
}

export const placeOf = (
  root: string,
  {folder, source, name}: Pick<Graph, 'folder' | 'source' | 'name'>,
): PipelinePlace => ({
  place: relative(realPath(root), join(realPath(folder), basename(source.name))),
  name,
});

/** Links resolved as far as the path is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined || dirname(path) === path) return path;
    return join(realPath(dirname(path)), basename(path));
  }
}
