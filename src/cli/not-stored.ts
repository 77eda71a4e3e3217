import type {NotReadable} from '../results/read-artifact.ts';
import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';
import type {PipelineOptions} from './pipeline-options.ts';
import {repeatCommand} from './repeat-command.ts';

/** Says that artifacts which a command should show are not in the store, and how they come there; gives the exit code. */
export function printNotStored(
  {message, isGone}: NotReadable,
  artifacts: readonly string[],
  file: string,
  options: PipelineOptions,
): number {
  const targets = artifacts.flatMap((name) => ['--target', name]);
  const hint = isGone
    ? `To compute it again: ${repeatCommand('run', file, targets, options)}`
    : `Run it first: ${repeatCommand('run', file, [], options)}`;
  printFaults([{code: 'not-stored', message, hint}], options.json ?? false);
  return EXIT.failed;
}
