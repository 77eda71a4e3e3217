import {existsSync} from 'node:fs';
import {editionOf} from '../../stages/tensor/backend.ts';
import {type Manifest, readManifest} from '../../stages/tensor/manifest.ts';
import {ok, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import {makePlan} from '../plan/make-plan.ts';
import type {Plan} from '../plan/verdict.ts';
import {recentFailures} from '../results/last-failures.ts';
import {openStore} from '../store/open-store.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {Store} from '../store/store.ts';
import {cacheFolder} from './cache-folder.ts';
import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';
import {findForced} from './find-instance.ts';
import {findWanted, NOTHING, type Wanted} from './find-wanted.ts';
import {loadPipeline} from './load-pipeline.ts';
import type {PipelineOptions, RunnableOptions} from './pipeline-options.ts';

export interface Prepared {
  readonly graph: Graph;
  readonly store: Store;
  readonly plan: Plan;
  /** Indices of what is to run, or would, where it is not stored. */
  readonly wanted: ReadonlySet<number>;
  /** Absent when no stage computes with tensors, or the set-up has not been done. */
  readonly manifest: Manifest | undefined;
  /** Said before a run: that a slow back end takes the params meant for one. */
  readonly notice: string | undefined;
}

const computesWithTensors = (graph: Graph): boolean => graph.nodes.some(({stage}) => stage.computes === 'tensors');

/** Set-up's choice of back end for a pipeline, set up now when that is allowed and has not been done. */
async function backendFor(graph: Graph, options: PipelineOptions, purpose: Purpose): Promise<Manifest | undefined> {
  if (!computesWithTensors(graph)) return undefined;
  const manifest = await readManifest(options.backend);
  if (manifest || purpose !== 'run') return manifest;
  const [{setUp}, {setupReporter}] = await Promise.all([
    import('../../stages/tensor/setup.ts'),
    import('./setup-reporter.ts'),
  ]);
  const reporter = setupReporter();
  try {
    return await setUp({...(options.backend && {choice: options.backend}), report: reporter});
  } finally {
    reporter.close();
  }
}

/** `run` may set up a back end and write; `plan`, which says what a run would do, and `look`, which shows what is stored, do neither. */
type Purpose = 'run' | 'plan' | 'look';

/** What a command is about, found by the names it was given; the error is what is wrong with them. */
export type Choose<T> = (graph: Graph) => Result<T>;

/** What a command does with a prepared pipeline; one with faults is answered with them. */
export async function withPrepared<T>(
  file: string,
  options: RunnableOptions,
  purpose: Purpose,
  choose: Choose<T>,
  use: (prepared: Prepared, chosen: T) => Promise<number>,
): Promise<number> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const ended = await usePrepared(file, options, purpose, choose, use, tell);
  if (ended.ok) return ended.value;
  printFaults(ended.error, options.json ?? false);
  return EXIT.wrong;
}

/**
 * Prepares a pipeline, and closes its store when `use` has ended. The error is what is wrong with the pipeline, or with names: what `choose`
 * cannot find is refused before anything is set up or downloaded for it. `tell` hears what is downloaded.
 */
export async function usePrepared<T, R>(
  file: string,
  options: RunnableOptions,
  purpose: Purpose,
  choose: Choose<T>,
  use: (prepared: Prepared, chosen: T) => Promise<R>,
  tell?: (line: string) => void,
): Promise<Result<R>> {
  const chooseAll = (graph: Graph) => withWanted(graph, purpose, options.target, choose);
  const loaded = await load(file, options, chooseAll);
  if (!loaded.ok) return loaded;
  const root = cacheFolder(options.cache, loaded.value.asWritten.folder);
  // A store that is there may bring its index up to date when it is only looked at; none is made for that.
  const store = await openStore(root, {readOnly: purpose !== 'run' && !existsSync(root)});
  try {
    const {asWritten, forSlow} = loaded.value;
    const manifest = await backendFor(asWritten, options, purpose);
    const slow = manifest !== undefined && editionOf(manifest.backend) === undefined ? forSlow : undefined;
    const graph = slow ?? asWritten;
    const chosen = chooseAll(graph);
    if (!chosen.ok) return chosen;
    const {wanted, what} = chosen.value;
    const forced = findForced(graph, options.force ?? [], wanted.instances);
    if (!forced.ok) return forced;
    const plan = await makePlan(graph, {
      store,
      numerics: manifest?.numerics,
      mayDownload: purpose === 'run' && !options.offline,
      ...(tell && {tell}),
      forced: forced.value,
      wanted: wanted.instances,
      asked: wanted.artifacts,
      failures: (ids) => recentFailures(root, placeOf(root, graph), ids),
    });
    const notice =
      manifest && slow && `The ${manifest.backend} back end is slow, so the params of ${options.slowParams} are used.`;
    return ok(await use({graph, store, plan, wanted: wanted.instances, manifest, notice}, what));
  } finally {
    await store.close();
  }
}

/** What a command is about, and which part of the pipeline is to run for it. */
function withWanted<T>(
  graph: Graph,
  purpose: Purpose,
  targets: readonly string[] | undefined,
  choose: Choose<T>,
): Result<{readonly wanted: Wanted; readonly what: T}> {
  const wanted = purpose === 'look' ? ok(NOTHING) : findWanted(graph, targets);
  if (!wanted.ok) return wanted;
  const what = choose(graph);
  return what.ok ? ok({wanted: wanted.value, what: what.value}) : what;
}

interface Loaded {
  readonly asWritten: Graph;
  /** With the params for a slow back end, where there are some. */
  readonly forSlow: Graph | undefined;
}

/** The pipeline with every set of params that it may run with; the error is every fault of the file, or of names that none of them has. */
async function load<T>(file: string, options: PipelineOptions, choose: Choose<T>): Promise<Result<Loaded>> {
  const asWritten = await loadPipeline(file, options);
  if (!asWritten.ok) return asWritten;
  const {slowParams, params = []} = options;
  const forSlow =
    slowParams === undefined ? undefined : await loadPipeline(file, {...options, params: [slowParams, ...params]});
  if (forSlow && !forSlow.ok) return forSlow;
  const chosen = choose(asWritten.value);
  if (!chosen.ok && (!forSlow || !choose(forSlow.value).ok)) return chosen;
  return ok({asWritten: asWritten.value, forSlow: forSlow?.value});
}
