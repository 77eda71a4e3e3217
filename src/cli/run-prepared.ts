import type {InstanceId} from '../graph/graph.ts';
import {foresee} from '../plan/foresee.ts';
import {undeclaredFiles} from '../plan/undeclared-files.ts';
import type {Plan, Verdict} from '../plan/verdict.ts';
import {runLogName} from '../results/run-logs.ts';
import {storedLog} from '../results/stored-log.ts';
import type {Outcome, RunEvent, RunTotals} from '../run/event.ts';
import {totalsOf} from '../run/instance-states.ts';
import type {Machine} from '../run/ledger.ts';
import type {OnFailure, RunResult} from '../run/run-options.ts';
import {runPlan} from '../run/run-plan.ts';
import type {WorkerPool} from '../run/worker-pool.ts';
import {LONGEST_TOLD, lineTeller} from '../stage/log-lines.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {Prepared} from './prepare.ts';
import {reportExpectations} from './report-expectations.ts';

interface RunSettings {
  readonly pool: WorkerPool;
  readonly jobs: number;
  readonly machine: Machine;
  readonly onFailure: OnFailure;
  readonly stop: AbortSignal;
  /** Aborted where everything has to end before its listeners have returned. */
  readonly end?: AbortSignal;
  /** Whether the logs of programs whose results are stored are told as if they ran. */
  readonly replay?: boolean;
  emit(event: RunEvent): void;
}

interface PreparedRun {
  readonly result: RunResult;
  readonly totals: RunTotals;
  /** How many expectations were not met. */
  readonly unmet: number;
}

/**
 * Runs a prepared pipeline and holds it to its expectations; everything that happens is told as events and kept in the log of the run.
 *
 * @throws StoreError before anything is computed where its results could not be stored.
 */
export async function runPrepared(
  prepared: Prepared,
  {pool, jobs, machine, onFailure, stop, end, replay = false, ...told}: RunSettings,
): Promise<PreparedRun> {
  const {graph, store, plan, wanted, manifest, notice} = prepared;
  const toRun = plan.instances.filter(({instance, verdict}) => wanted.has(instance.index) && verdict !== 'cached');
  if (toRun.some(({verdict}) => verdict !== 'unresolved')) store.requireRights();
  const log = store.openRunLog(await runLogName(store.root, graph.name));
  const outcomes = new Map<InstanceId, Outcome>();
  const emit = (event: RunEvent): void => {
    told.emit(event);
    if (event.event === 'instance-finished') outcomes.set(event.id, event.outcome);
    // once more, since what it gave was damaged
    if (event.event === 'instance-started') outcomes.delete(event.id);
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
  const foretold = toRun.some(({instance}) => instance.stage.foresee)
    ? await foresee(graph, plan.instances, wanted)
    : undefined;
  for (const {message, hint} of [...undeclaredFiles(graph, toRun), ...(foretold?.warnings ?? [])])
    emit({event: 'warning', message: hint === undefined ? message : `${message} ${hint}`});
  const numerics = manifest?.numerics ?? 'none';
  /** Nothing is waited for: what has not ended is skipped. */
  const cutShort = (): void => {
    pool.kill();
    for (const {id, index} of graph.instances)
      if (wanted.has(index) && !outcomes.has(id))
        emit({event: 'instance-finished', id, outcome: 'skipped', seconds: 0});
    for (const line of keysOf(plan, [], wanted)) log.append(line);
    emit({event: 'run-finished', ...totalsOf([...outcomes.values()], (performance.now() - startedAt) / 1000)});
  };
  end?.addEventListener('abort', cutShort, {once: true});
  try {
    const result = await runPlan({graph, plan, store, numerics, pool, jobs, machine, onFailure, wanted, stop, emit});
    if (replay) await replayLogs(prepared, outcomes, result, told.emit);
    const unmet = result.interrupted ? 0 : await reportExpectations({graph, store, result, wanted, outcomes}, emit);
    const totals: RunTotals = {...result.totals, seconds: (performance.now() - startedAt) / 1000};
    end?.removeEventListener('abort', cutShort);
    for (const line of keysOf(plan, result.records, wanted)) log.append(line);
    emit({event: 'run-finished', ...totals});
    return {result, totals, unmet};
  } finally {
    end?.removeEventListener('abort', cutShort);
    log.close();
  }
}

/** What programs wrote when the results that served were made; no event of this run, so that its log has none of it. */
async function replayLogs(
  {graph, store}: Prepared,
  outcomes: ReadonlyMap<InstanceId, Outcome>,
  {records}: RunResult,
  emit: (event: RunEvent) => void,
): Promise<void> {
  for (const {id, index} of graph.instances) {
    const outcome = outcomes.get(id);
    if (outcome !== 'cached' && outcome !== 'cut-off') continue;
    // No time goes by, so that as much is told as can be at once.
    const teller = lineTeller(
      (line) => emit({event: 'log', id, line}),
      () => 0,
    );
    for await (const lines of (await storedLog(store, records[index], LONGEST_TOLD)) ?? [])
      for (const line of lines) teller.line(line);
    teller.end();
  }
}

/** For the log alone: to which version of an instance belongs what is told of it. */
const keysOf = (plan: Plan, records: RunResult['records'], wanted: ReadonlySet<number>): readonly object[] =>
  plan.instances.flatMap(({instance: {id, index}, verdict, key}) => {
    const known = records[index]?.key ?? key;
    return verdict === 'cached' || !wanted.has(index) || known === undefined ? [] : [{event: 'key', id, key: known}];
  });

/** What moves the live display, and what a no-op says of every instance, would only fill the log. */
const isWorthKeeping = (event: RunEvent): boolean =>
  event.event !== 'instance-progress' && !(event.event === 'instance-finished' && event.outcome === 'cached');
