import {Console} from 'node:console';
import {inspect} from 'node:util';
import type {Diagnostic} from '../base/diagnostic.ts';
import {NotWhileLoading, namesUsersFile} from '../stage/import-error.ts';
import {importFault} from '../stage/import-fault.ts';
import {loadedFiles, replaceExit} from '../stage/while-loading.ts';
import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';

/**
 * Files of the user are loaded into this process, and what their top level began goes on after that. What it prints is none of what a command prints,
 * which programs read; where it breaks, or ends this process, that is a fault of the file.
 */
export function guardFromUsersCode(json: boolean): void {
  Object.assign(console, new Console(process.stderr));
  const exit = process.exit;
  const end = (fault: Diagnostic): never => {
    printFaults([fault], json);
    return exit(EXIT.wrong);
  };
  const onBroken = (error: unknown): void => {
    const fault = lateFault(error);
    if (fault) end(fault);
    process.stderr.write(`${inspect(error)}\n`);
    exit(EXIT.failed);
  };
  process.on('uncaughtException', onBroken);
  process.on('unhandledRejection', onBroken);
  const guarded: typeof exit = (code) => {
    const error = new NotWhileLoading('Here process.exit ends basin, and not the file.', 'Leave it out.');
    Error.captureStackTrace(error, guarded);
    const fault = lateFault(error);
    return fault ? end(fault) : exit(code);
  };
  replaceExit(guarded);
}

/** What a user's file did after it had been loaded; nothing where the error is none of theirs. */
function lateFault(error: unknown): Diagnostic | undefined {
  const isTheirs = error instanceof Error && namesUsersFile(error.stack);
  const files = loadedFiles();
  // What is no error has no stack, and nothing of ours throws such a thing.
  if (!isTheirs && (error instanceof Error || files.length === 0)) return undefined;
  const {at, hint} = importFault(error, '');
  if (error instanceof NotWhileLoading)
    return {code: 'bad-stage-file', message: error.message, ...(hint && {hint}), ...(at && {at})};
  return {
    code: 'bad-stage-file',
    message: isTheirs
      ? `This broke after the file had been loaded: ${error.name}: ${error.message}`
      : `Something broke after ${files.join(' or ')} had been loaded: ${inspect(error)}`,
    hint: 'Catch it there. What the top of a file begins can be awaited there, so that it belongs to the loading.',
    ...(at && {at}),
  };
}

/** Ends the process with what was written told whole: what a user's file left open at its top would hold it for ever. */
export async function endProcess(code: number): Promise<never> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))));
  return process.exit(code);
}
