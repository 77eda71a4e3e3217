import {undeclaredFiles} from '../plan/undeclared-files.ts';
import type {Plan, Verdict} from '../plan/verdict.ts';
import {runLogName} from '../results/run-logs.ts';
import type {RunEvent, RunTotals} from '../run/event.ts';
import type {Machine} from '../run/ledger.ts';
import type {OnFailure, RunResult} from '../run/run-options.ts';
import {runPlan} from '../run/run-plan.ts';
import type {WorkerPool} from '../run/worker-pool.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {Prepared} from './prepare.ts';
import {reportExpectations} from './report-expectations.ts';

interface RunSettings {
  readonly pool: WorkerPool;
  readonly jobs: number;
  readonly machine: Machine;
  readonly onFailure: OnFailure;
  readonly stop: AbortSignal;
  emit(event: RunEvent): void;
}

interface PreparedRun {
  readonly result: RunResult;
  readonly totals: RunTotals;
  /** How many expectations were not met. */
  readonly unmet: number;
}

/** Runs a prepared pipeline and holds it to its expectations; everything that happens is told as events and kept in the log of the run. */
export async function runPrepared(
  {graph, store, plan, manifest, notice}: Prepared,
  wanted: ReadonlySet<number>,
  {pool, jobs, machine, onFailure, stop, ...told}: RunSettings,
): Promise<PreparedRun> {
  const log = store.openRunLog(await runLogName(store.root, graph.name));
  const emit = (event: RunEvent): void => {
    told.emit(event);
    const unkept = isWorthKeeping(event) ? log.append(event) : undefined;
    // A result is worth more than its log.
    if (unkept) told.emit({event: 'warning', message: `${unkept.message} The log of this run ends here.`});
  };
  log.append({event: 'pipeline', ...placeOf(store.root, graph)});
  const startedAt = performance.now();
  const verdicts: Record<Verdict, number> = {cached: 0, run: 0, 'run-unless-cut-off': 0, unresolved: 0};
  for (const {instance, verdict} of plan.instances) if (wanted.has(instance.index)) verdicts[verdict] += 1;
  emit({event: 'run-started', pipeline: graph.name, instances: wanted.size, verdicts});
  if (manifest) emit({event: 'backend', name: manifest.backend, line: manifest.line});
  if (notice !== undefined) emit({event: 'warning', message: notice});
  const toRun = plan.instances.filter(({instance, verdict}) => wanted.has(instance.index) && verdict !== 'cached');
  for (const {message, hint} of undeclaredFiles(graph, toRun)) emit({event: 'warning', message: `${message} ${hint}`});
  const numerics = manifest?.numerics ?? 'none';
  try {
    const result = await runPlan({graph, plan, store, numerics, pool, jobs, machine, onFailure, wanted, stop, emit});
    const unmet = result.interrupted ? 0 : await reportExpectations(graph, store, result, wanted, emit);
    const totals: RunTotals = {...result.totals, seconds: (performance.now() - startedAt) / 1000};
    for (const line of keysOf(plan, result, wanted)) log.append(line);
    emit({event: 'run-finished', ...totals});
    return {result, totals, unmet};
  } finally {
    log.close();
  }
}

/** For the log alone: to which version of an instance belongs what is told of it. */
const keysOf = (plan: Plan, {records}: RunResult, wanted: ReadonlySet<number>): readonly object[] =>
  plan.instances.flatMap(({instance: {id, index}, verdict, key}) => {
    const known = records[index]?.key ?? key;
    return verdict === 'cached' || !wanted.has(index) || known === undefined ? [] : [{event: 'key', id, key: known}];
  });

/** What moves the live display, and what a no-op says of every instance, would only fill the log. */
const isWorthKeeping = (event: RunEvent): boolean =>
  event.event !== 'instance-progress' && !(event.event === 'instance-finished' && event.outcome === 'cached');
