import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {LibraryOptions} from '../../src/index.ts';

export interface WrittenPipeline {
  readonly folder: string;
  readonly file: string;
  /** For the calls of the library: a cache of its own. */
  readonly options: LibraryOptions & {readonly cache: string};
  /** Writes the pipeline anew. */
  write(text: string): Promise<void>;
}

/** A pipeline file in a folder that is gone after the test. */
export async function writtenPipeline(text: string): Promise<WrittenPipeline> {
  const folder = await mkdtemp(join(tmpdir(), 'basin-pipeline-'));
  onTestFinished(() => rm(folder, {recursive: true}));
  const file = join(folder, 'p.yaml');
  const write = (changed: string): Promise<void> => writeFile(file, changed);
  await write(text);
  return {folder, file, options: {cache: join(folder, 'cache')}, write};
}
