import {writeFile} from 'node:fs/promises';
import {extname} from 'node:path';
import {fail, ok, type Result} from '../base/result.ts';
import {UserError} from '../base/user-error.ts';
import type {RowFormat} from '../results/format-rows.ts';
import {commandFault} from './faults.ts';
import type {PipelineOptions} from './pipeline-options.ts';

type Format = RowFormat | 'arrow' | 'svg';

export type ShowOptions = PipelineOptions & {
  /** Unless given, the ending of the file says it; else a plot is shown as `svg` and anything else as `table`. */
  readonly format?: Format;
  readonly output?: string;
};

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['.txt', 'table'],
  ['.csv', 'csv'],
  ['.json', 'json'],
  ['.arrow', 'arrow'],
  ['.svg', 'svg'],
]);

/** The ending of the file that is to be written, where it is none of a format and no other option says one. A name without any (`/dev/stdout`) says nothing. */
export function unknownEnding({format, output = ''}: ShowOptions): string | undefined {
  const ending = extname(output);
  return format !== undefined || ending === '' || FORMATS.has(ending.toLowerCase()) ? undefined : ending;
}

/** What the ending of the file asks for, where no other option does. */
export function withFormatOfFile(options: ShowOptions): ShowOptions {
  const format = options.format ?? FORMATS.get(extname(options.output ?? '').toLowerCase());
  return format === undefined ? options : {...options, format};
}

/** The options with the format that is asked for, where one is; `--json` asks as `--format json` does. */
export function withFormat(options: ShowOptions): Result<ShowOptions> {
  const {format, json} = options;
  if (!json || format === 'json') return ok(options);
  if (format === undefined) return ok({...options, format: 'json'});
  return fail([commandFault(`"--json" prints JSON, and "--format ${format}" does not.`, 'Leave one of them out.')]);
}

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
