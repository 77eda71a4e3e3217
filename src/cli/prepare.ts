import {existsSync} from 'node:fs';
import {type Manifest, readManifest} from '../../stages/tensor/manifest.ts';
import {ok, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import {makePlan} from '../plan/make-plan.ts';
import type {Plan} from '../plan/verdict.ts';
import {openStore} from '../store/open-store.ts';
import type {Store} from '../store/store.ts';
import {cacheFolder} from './cache-folder.ts';
import {EXIT} from './exit-code.ts';
import {printFaults} from './faults.ts';
import {loadPipeline} from './load-pipeline.ts';
import type {PipelineOptions} from './pipeline-options.ts';

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

/** What a command does with a prepared pipeline, the store closed after it; a pipeline with faults is answered with them. */
export async function withPrepared(
  file: string,
  options: PipelineOptions,
  purpose: Purpose,
  use: (prepared: Prepared) => Promise<number>,
): Promise<number> {
  const prepared = await prepare(file, options, purpose);
  if (!prepared.ok) {
    printFaults(prepared.error, options.json ?? false);
    return EXIT.wrong;
  }
  try {
    return await use(prepared.value);
  } finally {
    await prepared.value.store.close();
  }
}

/** From a pipeline file to its plan; the error is every fault of the file. */
async function prepare(file: string, options: PipelineOptions, purpose: Purpose): Promise<Result<Prepared>> {
  const asWritten = await loadPipeline(file, options);
  if (!asWritten.ok) return asWritten;
  const manifest = await backendFor(asWritten.value, options, purpose);
  const slow = options.slowParams !== undefined && manifest !== undefined && manifest.backend !== 'tensorflow';
  const graph = slow
    ? await loadPipeline(file, {...options, params: [options.slowParams, ...(options.params ?? [])]})
    : asWritten;
  if (!graph.ok) return graph;
  const root = cacheFolder(options.cache, graph.value.folder);
  // A store that is there may bring its index up to date when it is only looked at; none is made for that.
  const store = await openStore(root, {readOnly: purpose === 'look' && !existsSync(root)});
  const plan = await makePlan(graph.value, {store, numerics: manifest?.numerics, mayDownload: purpose === 'run'});
  const notice = slow
    ? `The ${manifest.backend} back end is slow, so the params of ${options.slowParams} are used.`
    : undefined;
  return ok({graph: graph.value, store, plan, manifest, notice});
}
