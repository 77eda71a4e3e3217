import {ok} from '../../base/result.ts';
import type {RunResult} from '../../run/run-options.ts';
import {WorkerPool} from '../../run/worker-pool.ts';
import {chooseReporter} from '../choose-reporter.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import {onInterrupt} from '../interrupt.ts';
import {machineFor} from '../machine.ts';
import type {RunnableOptions} from '../pipeline-options.ts';
import {jobsFor, poolProfile} from '../pool-setting.ts';
import {type Prepared, withPrepared} from '../prepare.ts';
import {printResults} from '../print-results.ts';
import {repeatCommand} from '../repeat-command.ts';
import {runPrepared} from '../run-prepared.ts';

export interface RunCommandOptions extends RunnableOptions {
  readonly keepGoing?: true;
  readonly failFast?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

export const runCommand = (file: string, options: RunCommandOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'run',
    () => ok(undefined),
    (prepared) => runTold(file, prepared, options),
  );

async function runTold(file: string, prepared: Prepared, options: RunCommandOptions): Promise<number> {
  const {graph, store, wanted, manifest} = prepared;
  const reporter = await chooseReporter(options.json ?? false, {
    detail: options.quiet ? 'quiet' : options.verbose ? 'verbose' : 'normal',
    logCommand: (id) => repeatCommand('log', file, [id], options),
  });
  const jobs = jobsFor(prepared, wanted, options.jobs);
  const machine = machineFor(prepared, wanted, options.resources, jobs);
  if (!machine.ok) {
    reporter.close();
    printFaults(machine.error, options.json ?? false);
    return EXIT.wrong;
  }
  const pool = new WorkerPool(poolProfile(manifest?.backend ?? 'cpu', jobs));
  const interrupt = onInterrupt();
  try {
    const {result, unmet} = await runPrepared(prepared, {
      pool,
      jobs,
      machine: machine.value,
      onFailure: options.keepGoing ? 'keep-going' : options.failFast ? 'fail-fast' : 'finish-running',
      stop: interrupt.stop,
      end: interrupt.end,
      replay: options.verbose ?? false,
      emit: (event) => reporter.report(event),
    });
    reporter.close();
    if (!options.json && !options.quiet) printResults(file, graph, store, result, wanted, options);
    return exitCode(result, unmet);
  } finally {
    reporter.close();
    // Until the last process is gone Ctrl-C is heard.
    await pool.close();
    interrupt.release();
  }
}

function exitCode({interrupted, totals}: RunResult, unmet: number): number {
  if (interrupted) return EXIT.interrupted;
  return totals.failed + totals.skipped + unmet > 0 ? EXIT.failed : EXIT.done;
}
