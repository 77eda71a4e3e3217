import {ok} from '../../base/result.ts';
import {undeclaredFiles} from '../../plan/undeclared-files.ts';
import type {Verdict} from '../../plan/verdict.ts';
import type {RunEvent, RunTotals} from '../../run/event.ts';
import type {OnFailure, RunResult} from '../../run/run-options.ts';
import {runPlan} from '../../run/run-plan.ts';
import {WorkerPool} from '../../run/worker-pool.ts';
import {chooseReporter} from '../choose-reporter.ts';
import {EXIT} from '../exit-code.ts';
import {findAll, withUpstream} from '../find-instance.ts';
import {onInterrupt} from '../interrupt.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {defaultJobs, poolProfile} from '../pool-setting.ts';
import {type Prepared, withPrepared} from '../prepare.ts';
import {printResults} from '../print-results.ts';
import {repeatCommand} from '../repeat-command.ts';
import {reportExpectations} from '../report-expectations.ts';

export interface RunCommandOptions extends PipelineOptions {
  readonly target?: readonly string[];
  readonly jobs?: number;
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
    (graph) => (options.target ? findAll(graph, options.target) : ok(graph.instances)),
    (prepared, targets) => runPrepared(file, prepared, withUpstream(prepared.graph, targets), options),
  );

async function runPrepared(
  file: string,
  {graph, store, plan, manifest, notice}: Prepared,
  wanted: ReadonlySet<number>,
  options: RunCommandOptions,
): Promise<number> {
  const startedAt = performance.now();
  const reporter = await chooseReporter(options.json ?? false, {
    detail: options.quiet ? 'quiet' : options.verbose ? 'verbose' : 'normal',
    logCommand: (id) => repeatCommand('log', file, [id], options),
  });
  const log = store.openRunLog(`${new Date().toISOString().replaceAll(':', '')}-${graph.name}`);
  const emit = (event: RunEvent): void => {
    reporter.report(event);
    const unkept = isWorthKeeping(event) ? log.append(event) : undefined;
    // A result is worth more than its log.
    if (unkept) reporter.report({event: 'warning', message: `${unkept.message} The log of this run ends here.`});
  };
  const jobs = options.jobs ?? defaultJobs();
  const pool = new WorkerPool(poolProfile(manifest?.backend ?? 'cpu', jobs));
  const interrupt = onInterrupt(() => pool.kill());
  try {
    const verdicts: Record<Verdict, number> = {cached: 0, run: 0, 'run-unless-cut-off': 0, unresolved: 0};
    for (const {instance, verdict} of plan.instances) if (wanted.has(instance.index)) verdicts[verdict] += 1;
    emit({event: 'run-started', pipeline: graph.name, instances: wanted.size, verdicts});
    if (manifest) emit({event: 'backend', name: manifest.backend, line: manifest.line});
    if (notice !== undefined) emit({event: 'warning', message: notice});
    for (const {message, hint} of undeclaredFiles(graph, plan)) emit({event: 'warning', message: `${message} ${hint}`});
    const onFailure: OnFailure = options.keepGoing ? 'keep-going' : options.failFast ? 'fail-fast' : 'finish-running';
    const result = await runPlan({
      graph,
      plan,
      store,
      numerics: manifest?.numerics ?? 'none',
      pool,
      jobs,
      onFailure,
      wanted,
      stop: interrupt.signal,
      emit,
    });
    const unmet = result.interrupted ? 0 : await reportExpectations(graph, store, result, wanted, emit);
    const totals: RunTotals = {...result.totals, seconds: (performance.now() - startedAt) / 1000};
    emit({event: 'run-finished', ...totals});
    reporter.close();
    if (!options.json && !options.quiet) printResults(file, graph, store, result, options);
    return exitCode(result, unmet);
  } finally {
    reporter.close();
    interrupt.release();
    pool.close();
    log.close();
  }
}

function exitCode({interrupted, totals}: RunResult, unmet: number): number {
  if (interrupted) return EXIT.interrupted;
  return totals.failed > 0 || unmet > 0 ? EXIT.failed : EXIT.done;
}

/** What moves the live display, and what a no-op says of every instance, would only fill the log. */
const isWorthKeeping = (event: RunEvent): boolean =>
  event.event !== 'instance-progress' && !(event.event === 'instance-finished' && event.outcome === 'cached');
