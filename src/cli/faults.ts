import {type Diagnostic, diagnosticJson, formatDiagnostic} from '../base/diagnostic.ts';

/** Faults for a person on stderr, or as the `{"errors": […]}` contract on stdout. */
export function printFaults(faults: readonly Diagnostic[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({errors: faults.map(diagnosticJson)})}\n`);
    return;
  }
  process.stderr.write(`${faults.map(formatDiagnostic).join('\n\n')}\n`);
  if (faults.length > 1) process.stderr.write(`\n${faults.length} faults; nothing was run.\n`);
}

/** A fault of the command line itself, which has no place in a file. */
export const commandFault = (message: string, hint?: string): Diagnostic => ({
  code: 'wrong-command',
  message,
  ...(hint !== undefined && {hint}),
});
