import {isTableKind, type Rows} from '../artifact/kinds.ts';
import type {JsonObject} from '../base/json.ts';
import {ok, type Result} from '../base/result.ts';
import {narrowed} from '../graph/narrowed.ts';
import {explainInstance} from '../plan/explain.ts';
import {foresee} from '../plan/foresee.ts';
import {reasonText} from '../plan/reason-text.ts';
import {type Change, plannedOf, type Verdict} from '../plan/verdict.ts';
import {readRows} from '../results/read-artifact.ts';
import {storedArtifact} from '../results/stored-artifact.ts';
import type {RunEvent, RunTotals} from '../run/event.ts';
import {WorkerPool} from '../run/worker-pool.ts';
import {commandFault} from './faults.ts';
import {findArtifact} from './find-artifact.ts';
import {findAll} from './find-instance.ts';
import {machineFor} from './machine.ts';
import {PipelineError} from './pipeline-error.ts';
import type {PipelineOptions, RunnableOptions} from './pipeline-options.ts';
import {jobsFor, poolProfile} from './pool-setting.ts';
import {usePrepared} from './prepare.ts';
import {runPrepared} from './run-prepared.ts';

/** As the options of the command line, of the same names. */
export type LibraryOptions = Omit<PipelineOptions, 'json'>;

export interface PlanOptions extends LibraryOptions {
  /** Nodes or instances that are wanted, with what they need, or artifacts, whose files then are there. All unless given. */
  readonly targets?: readonly string[];
}

export interface RunOptions extends PlanOptions {
  /** How many instances run side by side. */
  readonly jobs?: number;
  /** What a failure does to the rest; unless given, what runs is finished and nothing else is started. */
  readonly onFailure?: 'finish-running' | 'keep-going' | 'fail-fast';
  /** Aborting it stops the run as Ctrl-C does. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface PlannedRow {
  readonly id: string;
  readonly node: string;
  readonly axes: JsonObject;
  readonly verdict: Verdict;
  readonly reason: string;
  /** What its stage says of it beforehand: how many weights pruning may take. */
  readonly note?: string;
}

export interface RunReport extends RunTotals {
  readonly interrupted: boolean;
  readonly unmetExpectations: number;
}

export interface ExplainedInstance {
  readonly instance: string;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly changes: readonly Change[];
}

/** The name that the command line has for it. */
const withTarget = ({targets, ...options}: PlanOptions): RunnableOptions =>
  targets ? {...options, target: targets} : options;

function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new PipelineError(result.error);
}

export const plan = async (file: string, options: PlanOptions = {}): Promise<readonly PlannedRow[]> =>
  orThrow(
    await usePrepared(
      file,
      withTarget(options),
      'plan',
      () => ok(undefined),
      async (prepared) => {
        const {wanted} = prepared;
        orThrow(machineFor(prepared, wanted, options.resources));
        const {notes} = await foresee(prepared.graph, prepared.plan.instances, wanted);
        return plannedOf(narrowed(prepared.graph, wanted), prepared.plan).map(
          ({instance: {id, node, axes, index}, verdict, reason}) => {
            const note = notes.get(index);
            return {id, node, axes, verdict, reason: reasonText(reason), ...(note !== undefined && {note})};
          },
        );
      },
    ),
  );

export const run = async (file: string, options: RunOptions = {}): Promise<RunReport> =>
  orThrow(
    await usePrepared(
      file,
      withTarget(options),
      'run',
      () => ok(undefined),
      async (prepared) => {
        const {wanted} = prepared;
        const jobs = jobsFor(prepared, wanted, options.jobs);
        const machine = orThrow(machineFor(prepared, wanted, options.resources, jobs));
        const pool = new WorkerPool(poolProfile(prepared.manifest?.backend ?? 'cpu', jobs));
        try {
          const {result, totals, unmet} = await runPrepared(prepared, {
            pool,
            jobs,
            machine,
            onFailure: options.onFailure ?? 'finish-running',
            stop: options.signal ?? new AbortController().signal,
            emit: options.onEvent ?? (() => {}),
          });
          return {...totals, interrupted: result.interrupted, unmetExpectations: unmet};
        } finally {
          await pool.close();
        }
      },
    ),
  );

export const explain = async (
  file: string,
  instance: string,
  options: LibraryOptions = {},
): Promise<ExplainedInstance> =>
  orThrow(
    await usePrepared(
      file,
      options,
      'plan',
      (graph) => findAll(graph, [instance]),
      async ({graph, plan: made, store}, [first]) => {
        const found = first && explainInstance(graph, made, store, first.id);
        if (!found) throw new PipelineError([commandFault(`There is no instance "${instance}".`)]);
        return {
          instance: found.instance,
          verdict: found.verdict,
          reason: reasonText(found.reason),
          changes: found.changes,
        };
      },
    ),
  );

/** Rows with the axes as columns; a point that failed has its error in a column `failed`. */
export const table = async (file: string, name: string, options: LibraryOptions = {}): Promise<Rows> =>
  orThrow(
    await usePrepared(
      file,
      options,
      'look',
      (graph) => findArtifact(graph, name),
      async ({graph, plan: {instances}, store}, {instances: wanted, artifact}) => {
        const kind = wanted[0]?.stage.outputs[artifact]?.kind;
        if (kind === undefined || !isTableKind(kind)) throw new PipelineError([commandFault(`${name} is no table.`)]);
        const members = wanted.flatMap(({index}) => instances[index] ?? []);
        const stored = await storedArtifact(store, graph, members, artifact);
        const rows = stored.ok ? await readRows(store, stored.value.members, artifact) : stored;
        if (rows.ok) return rows.value;
        const {message, isGone} = rows.error;
        const hint = isGone ? `To compute it again, run it with {targets: ['${name}']}.` : 'Run the pipeline first.';
        throw new PipelineError([{code: 'not-stored', message, hint}]);
      },
    ),
  );
