import {commandName} from './command-name.ts';
import type {PipelineOptions} from './pipeline-options.ts';

/** A word as a POSIX shell takes it. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_/.,:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** A command to be typed after a run, with the options of the run that decide which instances there are and where they lie. */
export function repeatCommand(
  command: string,
  file: string,
  args: readonly string[],
  options: PipelineOptions,
): string {
  const {set = [], params = [], slowParams, cache, backend} = options;
  const given = [
    ...set.flatMap((override) => ['--set', override]),
    ...params.flatMap((path) => ['--params', path]),
    ...(slowParams === undefined ? [] : ['--slow-params', slowParams]),
    ...(cache === undefined ? [] : ['--cache', cache]),
    ...(backend === undefined ? [] : ['--backend', backend]),
  ];
  return [commandName(), command, file, ...args, ...given].map(quoted).join(' ');
}
