import type {BackendName} from '../../../stages/tensor/backend.ts';
import {setUp} from '../../../stages/tensor/setup.ts';
import {EXIT} from '../exit-code.ts';
import {setupReporter} from '../setup-reporter.ts';

/** Tries and tests again, also what failed before; what was built and is whole is kept. */
export async function setupCommand(options: {readonly backend?: BackendName}): Promise<number> {
  const reporter = setupReporter();
  try {
    const manifest = await setUp({
      ...(options.backend && {choice: options.backend}),
      force: true,
      report: reporter,
    });
    reporter.close();
    process.stdout.write(`${manifest.line}\n`);
    return EXIT.done;
  } finally {
    reporter.close();
  }
}
