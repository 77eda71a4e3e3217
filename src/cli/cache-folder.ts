import {existsSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {namesIn} from '../store/names-in.ts';
import {isSystemError} from '../store/store-error.ts';
import {storeLayout} from '../store/store-layout.ts';
import {commandFault} from './faults.ts';

const PROJECT_MARKS = ['basin.yaml', 'package.json', '.git'];

/**
 * The store's folder: the option, else BASIN_CACHE, else `cache/` beside the nearest basin.yaml, package.json or .git
 * above the pipeline, else beside the pipeline.
 */
export function cacheFolder(option: string | undefined, pipelineFolder: string): string {
  if (option !== undefined) return resolve(option);
  const fromEnvironment = process.env.BASIN_CACHE;
  if (fromEnvironment) return resolve(fromEnvironment);
  for (let folder = pipelineFolder; ; folder = dirname(folder)) {
    if (PROJECT_MARKS.some((mark) => existsSync(join(folder, mark)))) return join(folder, 'cache');
    if (dirname(folder) === folder) return join(pipelineFolder, 'cache');
  }
}

/** What is wrong when a command is about a cache that is not there: no folder, or one in which nothing was ever stored. */
export function noCacheAt(root: string): Diagnostic | undefined {
  if (existsSync(storeLayout(root).format)) return undefined;
  const beside = namesBeside(root).filter((name) => existsSync(storeLayout(join(dirname(root), name)).format));
  const near = nearestName(basename(root), beside);
  const hint =
    near === undefined
      ? 'Name the folder of one with --cache DIR or BASIN_CACHE, or start this where its project lies.'
      : `Did you mean ${join(dirname(root), near)}?`;
  return commandFault(`There is no cache at ${root}.`, hint);
}

/** Only to name one that is like it: none where they cannot be read. */
function namesBeside(root: string): readonly string[] {
  try {
    return namesIn(dirname(root));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return [];
  }
}
