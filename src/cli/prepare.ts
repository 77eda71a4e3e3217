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
import {findForced, findWanted, withUpstream} from './find-instance.ts';
import {loadPipeline} from './load-pipeline.ts';
import type {PipelineOptions, RunnableOptions} from './pipeline-options.ts';

export interface Prepared {
  readonly graph: Graph;
  readonly store: Store;
  readonly plan: Plan;
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
  if (manifest || purpose === 'look') return manifest;
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

/** `run` may set up a back end and write; `look` does neither. */
type Purpose = 'run' | 'look';

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
  const loaded = await load(file, options, choose);
  if (!loaded.ok) return loaded;
  const root = cacheFolder(options.cache, loaded.value.asWritten.folder);
  // A store that is there may bring its index up to date when it is only looked at; none is made for that.
  const store = await openStore(root, {readOnly: purpose === 'look' && !existsSync(root)});
  try {
    const {asWritten, forSlow} = loaded.value;
    const manifest = await backendFor(asWritten, options, purpose);
    const slow = manifest !== undefined && editionOf(manifest.backend) === undefined ? forSlow : undefined;
    const graph = slow ?? asWritten;
    const chosen = choose(graph);
    if (!chosen.ok) return chosen;
    const targets = findWanted(graph, options.target);
    if (!targets.ok) return targets;
    const wanted = withUpstream(graph, targets.value);
    const forced = findForced(graph, options.force ?? [], wanted);
    if (!forced.ok) return forced;
    const plan = await makePlan(graph, {
      store,
      numerics: manifest?.numerics,
      mayDownload: purpose === 'run' && !options.offline,
      ...(tell && {tell}),
      forced: forced.value,
      wanted,
      failures: (ids) => recentFailures(root, placeOf(root, graph), ids),
    });
    const notice =
      manifest && slow && `The ${manifest.backend} back end is slow, so the params of ${options.slowParams} are used.`;
    return ok(await use({graph, store, plan, manifest, notice}, chosen.value));
  } finally {
    await store.close();
  }
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
