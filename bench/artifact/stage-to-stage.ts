import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {formatDiagnostic} from '../../src/base/diagnostic.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {peakMemory, resetPeakMemory} from '../../src/run/peak-memory.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {WorkerPool} from '../../src/run/worker-pool.ts';
import {openStore} from '../../src/store/open-store.ts';
import {artifactStages} from './artifact-stages.ts';

const text = (bytes: number): string => `stages:
  many: {uses: give, with: {bytes: ${bytes}}, sweep: {value: [1, 2]}}
  best: {uses: select, in: {weights: many.weights, scores: many.summary}, with: {by: score, split: all}}
  last: {uses: take, in: {weights: best.weights}}
`;

/** Runs weights of a size through three stages; gives how much the memory of the driver, this process, grew in MiB. */
export async function driverMemory(folder: string, bytes: number): Promise<number> {
  const graph = readPipeline({path: join(folder, 'pipeline.yaml'), text: text(bytes)}, artifactStages);
  if (!graph.ok) throw new Error(graph.error.map(formatDiagnostic).join('\n'));
  const store = await openStore(join(folder, 'cache'));
  const script = fileURLToPath(new URL('./artifact-worker.ts', import.meta.url));
  const pool = new WorkerPool({script, arguments: [], threads: 1});
  try {
    resetPeakMemory();
    const before = peakMemory();
    const {totals} = await runPlan({
      ...{graph: graph.value, plan: await makePlan(graph.value, {store, numerics: 'none'}), store, numerics: 'none'},
      ...{pool, jobs: 1, machine: {gpus: [], amounts: {}, each: {}}, onFailure: 'fail-fast' as const},
      wanted: new Set(graph.value.instances.keys()),
      stop: new AbortController().signal,
      emit: () => {},
    });
    if (totals.ran !== graph.value.instances.length) throw new Error(`Only ${totals.ran} instances ran.`);
    return peakMemory() - before;
  } finally {
    pool.close();
    await store.close();
  }
}
