import {readFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {fail, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import {readPipeline} from '../graph/read-pipeline.ts';
import {commandFault} from './faults.ts';
import type {PipelineOptions} from './pipeline-options.ts';
import {registry} from './registry.ts';

/** Reads and checks a pipeline file with its overrides; every fault of every file at once. */
export async function loadPipeline(file: string, options: PipelineOptions): Promise<Result<Graph>> {
  const text = await readInput(file, 'pipeline');
  const overrides = await Promise.all(options.params.map((path) => readInput(path, 'params')));
  const missing = [text, ...overrides].flatMap((read) => (read.ok ? [] : read.error));
  if (!text.ok || missing.length > 0) return fail(missing);
  const paramsFiles = overrides.flatMap((read, i) =>
    read.ok ? [{path: options.params[i] ?? '', text: read.value}] : [],
  );
  return readPipeline({path: file, text: text.value, set: options.set, paramsFiles}, registry);
}

async function readInput(path: string, what: string): Promise<Result<Uint8Array, readonly Diagnostic[]>> {
  try {
    return {ok: true, value: await readFile(resolve(path))};
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `it cannot be read (${code})`;
    return fail([
      commandFault(
        `Cannot open the ${what} file "${path}": ${why}.`,
        'Check the path; it starts at the folder you are in.',
      ),
    ]);
  }
}
