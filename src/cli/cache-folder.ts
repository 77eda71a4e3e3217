import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';

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
