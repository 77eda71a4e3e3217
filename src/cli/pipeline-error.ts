import {type Diagnostic, formatDiagnostic} from '../base/diagnostic.ts';
import {UserError} from '../base/user-error.ts';

/** What is wrong with a pipeline, or with what was asked of it, every fault with its place. */
export class PipelineError extends UserError {
  readonly faults: readonly Diagnostic[];
  constructor(faults: readonly Diagnostic[]) {
    super(faults.map(formatDiagnostic).join('\n\n'));
    this.faults = faults;
  }
}
