import {type Manifest, readManifest} from '../../stages/tensor/manifest.ts';
import {ok, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import {makePlan} from '../plan/make-plan.ts';
import type {Plan} from '../plan/verdict.ts';
import {openStore} from '../store/open-store.ts';
import type {Store} from '../store/store.ts';
import {cacheFolder} from './cache-folder.ts';
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
export type Purpose = 'run' | 'look';

/** From a pipeline file to its plan; the error is every fault of the file. */
export async function prepare(file: string, options: PipelineOptions, purpose: Purpose): Promise<Result<Prepared>> {
  const asWritten = await loadPipeline(file, options);
  if (!asWritten.ok) return asWritten;
  const manifest = await backendFor(asWritten.value, options, purpose);
  const slow = options.slowParams !== undefined && manifest !== undefined && manifest.backend !== 'tensorflow';
  const graph = slow
    ? await loadPipeline(file, {...options, params: [options.slowParams, ...(options.params ?? [])]})
    : asWritten;
  if (!graph.ok) return graph;
  const store = await openStore(cacheFolder(options.cache, graph.value.folder), {readOnly: purpose === 'look'});
  const plan = await makePlan(graph.value, {store, numerics: manifest?.numerics, mayDownload: purpose === 'run'});
  const notice = slow
    ? `The ${manifest.backend} back end is slow, so the params of ${options.slowParams} are used.`
    : undefined;
  return ok({graph: graph.value, store, plan, manifest, notice});
}
