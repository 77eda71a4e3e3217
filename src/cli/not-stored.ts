import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';
import type {PipelineOptions} from './pipeline-options.ts';
import {repeatCommand} from './repeat-command.ts';

/** Says that what a command should show is not in the store, and how it comes there; gives the exit code. */
export function printNotStored(message: string, file: string, options: PipelineOptions): number {
  const hint = `Run it first: ${repeatCommand('run', file, [], options)}`;
  printFaults([{code: 'not-stored', message, hint}], options.json ?? false);
  return EXIT.failed;
}
