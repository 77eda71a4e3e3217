import {readdir, readFile, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {fail, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import {LARGEST_FILE, tooLarge} from '../spec/file-size.ts';
import {whyUnreadable} from '../spec/open-file.ts';
import type {Stage} from '../stage/define-stage.ts';
import {LIBRARY} from '../stage/library.ts';
import {commandFault} from './faults.ts';
import type {PipelineOptions} from './pipeline-options.ts';

/** Reads and checks a pipeline file with its overrides; every fault of every file at once. */
export async function loadPipeline(file: string, options: PipelineOptions): Promise<Result<Graph>> {
  const {set = [], params = []} = options;
  const text = await readInput(file, 'pipeline');
  const overrides = await Promise.all(params.map((path) => readInput(path, 'params')));
  const missing = [text, ...overrides].flatMap((read) => (read.ok ? [] : read.error));
  if (!text.ok || missing.length > 0) return fail(missing);
  const paramsFiles = overrides.flatMap((read, i) => (read.ok ? [{path: params[i] ?? '', text: read.value}] : []));
  // Stages and schemas are most of the start-up, and a path that is wrong needs none of them.
  const [{readPipelineWithFiles}, {registry}] = await Promise.all([
    import('../graph/read-pipeline.ts'),
    import('./registry.ts'),
  ]);
  return readPipelineWithFiles({path: file, text: text.value, set, paramsFiles}, registry, loadStage);
}

const loadStage = async (path: string): Promise<Result<Stage>> => {
  const {loadStageFile} = await import('../stage/stage-file.ts');
  return loadStageFile(path, LIBRARY);
};

async function readInput(path: string, what: string): Promise<Result<Uint8Array, readonly Diagnostic[]>> {
  try {
    const found = await stat(resolve(path));
    // Before it is opened: a pipe that nobody writes to would be waited on for ever.
    if (!found.isFile() && !found.isDirectory()) {
      const hint = 'Save it as a file first: it may be read more than once.';
      return fail([commandFault(`Cannot open the ${what} file "${path}": it is a pipe or a device.`, hint)]);
    }
    if (found.isFile() && found.size > LARGEST_FILE) return fail([tooLarge(path, found.size)]);
    return {ok: true, value: await readFile(resolve(path))};
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return fail([
      commandFault(`Cannot open the ${what} file "${path}": ${whyUnreadable(error)}.`, await pathHint(path, code)),
    ]);
  }
}

/** For a misspelt file the nearest name in its folder, for a folder the pipelines in it. */
async function pathHint(path: string, code: string): Promise<string> {
  const folder = code === 'EISDIR' ? path : dirname(path);
  const names = (await readdir(resolve(folder)).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
  if (code === 'EISDIR' && names.length > 0) return `The pipelines in it are: ${names.join(', ')}.`;
  const near = nearestName(basename(path), names);
  if (near !== undefined) return `Did you mean "${join(dirname(path), near)}"?`;
  return 'Check the path; it starts at the folder you are in.';
}
