import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {formatDiagnostic} from '../../src/base/diagnostic.ts';
import type {Graph} from '../../src/graph/graph.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {Plan} from '../../src/plan/verdict.ts';
import type {RunEvent} from '../../src/run/event.ts';
import type {Machine} from '../../src/run/ledger.ts';
import type {OnFailure, RunResult} from '../../src/run/run-options.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {WorkerPool} from '../../src/run/worker-pool.ts';
import {openStore} from '../../src/store/open-store.ts';
import type {Store} from '../../src/store/store.ts';
import {ANY_MACHINE} from './any-machine.ts';
import {countingStages} from './counting-stages.ts';

export interface RigRun extends RunResult {
  readonly plan: Plan;
  readonly events: readonly RunEvent[];
  /** Ids of the instances that ran, sorted. */
  readonly ran: readonly string[];
}

export interface RigOptions {
  readonly onFailure?: OnFailure;
  readonly stop?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  readonly jobs?: number;
  readonly machine?: Machine;
}

/** A store in a folder of its own and real worker processes over the counting stages. */
export class PipelineRig implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<PipelineRig> {
    return new PipelineRig(await mkdtemp(join(tmpdir(), 'basin-rig-')));
  }

  /** On a folder of another one, for a process of its own. */
  static at(folder: string): PipelineRig {
    return new PipelineRig(folder);
  }

  get cache(): string {
    return join(this.folder, 'cache');
  }

  graph(text: string): Graph {
    const path = join(this.folder, 'pipeline.yaml');
    const graph = readPipeline({path, text}, countingStages);
    if (!graph.ok) throw new Error(graph.error.map(formatDiagnostic).join('\n\n'));
    return graph.value;
  }

  async withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore(this.cache);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  async plan(text: string): Promise<Plan> {
    return this.withStore((store) => makePlan(this.graph(text), {store, numerics: 'none'}));
  }

  async run(text: string, options: RigOptions = {}): Promise<RigRun> {
    const graph = this.graph(text);
    const jobs = options.jobs ?? 2;
    const events: RunEvent[] = [];
    return this.withPool((pool) =>
      this.withStore(async (store) => {
        const plan = await makePlan(graph, {store, numerics: 'none'});
        const result = await runPlan({
          graph,
          plan,
          store,
          numerics: 'none',
          pool,
          jobs,
          machine: options.machine ?? ANY_MACHINE,
          onFailure: options.onFailure ?? 'finish-running',
          wanted: new Set(graph.instances.map(({index}) => index)),
          stop: options.stop ?? new AbortController().signal,
          emit: (event) => {
            events.push(event);
            options.onEvent?.(event);
          },
        });
        const ran = events.flatMap((event) =>
          event.event === 'instance-finished' && event.outcome === 'ran' ? [String(event.id)] : [],
        );
        return {...result, plan, events, ran: ran.sort()};
      }),
    );
  }

  /** Worker processes that note what they run. */
  async withPool<T>(use: (pool: WorkerPool) => Promise<T>): Promise<T> {
    process.env.BASIN_COUNT_FILE = join(this.folder, 'count.txt');
    const script = fileURLToPath(new URL('./counting-worker.ts', import.meta.url));
    const pool = new WorkerPool({script, arguments: [], threads: 1});
    try {
      return await use(pool);
    } finally {
      pool.close();
    }
  }

  /** How often stages really ran, over all worker processes. */
  async executions(): Promise<number> {
    return (await this.lines()).length;
  }

  /** What stages noted, over all worker processes, in the order in which it was. */
  async lines(): Promise<readonly string[]> {
    const text = await readFile(join(this.folder, 'count.txt'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, {recursive: true, force: true});
  }
}
