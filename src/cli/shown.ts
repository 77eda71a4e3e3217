import {writeFile} from 'node:fs/promises';
import {UserError} from '../base/user-error.ts';
import type {RowFormat} from '../results/format-rows.ts';
import type {PipelineOptions} from './pipeline-options.ts';

export type ShowOptions = PipelineOptions & {
  /** Unless given, a plot is shown as `svg` and anything else as `table`. */
  readonly format?: RowFormat | 'arrow' | 'svg';
  readonly output?: string;
};

/** Writes what `show` shows to a file, or to standard output. */
export async function writeShown(path: string | undefined, content: string | Uint8Array): Promise<void> {
  if (path === undefined) {
    process.stdout.write(content);
    return;
  }
  try {
    await writeFile(path, content);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? 'its folder does not exist' : code === 'EISDIR' ? 'it is a folder' : code;
    throw new UserError(`Cannot write "${path}": ${why}.`, 'Give --output a file in a folder that can be written.');
  }
}
