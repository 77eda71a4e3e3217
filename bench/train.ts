import {availableParallelism, cpus, loadavg} from 'node:os';
import {performance} from 'node:perf_hooks';
import {parseArgs} from 'node:util';
import {BACKENDS, type BackendName, isBackendName} from '../stages/tensor/backend.ts';
import type {Tf} from '../stages/tensor/library.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {CASES, type Case, productsOf} from './cases.ts';
import {EVALUATED, PEAK_OPERATIONS, peakProductOf, type Work, workOf} from './work.ts';

/*
 * Pictures a second of whole training steps and of evaluations, and a step's share of the back end's best matrix product.
 * Back ends and cases take turns in one process, so that whatever else the machine does meets all of them.
 *
 *   bin/basin-node bench/train.ts [tensorflow] [wasm] [cpu] [--rounds 7] [--threads N] [--json]
 */

const {values: options, positionals} = parseArgs({
  allowPositionals: true,
  options: {rounds: {type: 'string'}, threads: {type: 'string'}, json: {type: 'boolean'}},
});
const rounds = Number(options.rounds ?? 7);
const threads = Number(options.threads ?? availableParallelism());
const unknown = positionals.filter((name) => !isBackendName(name));
if (unknown.length > 0 || !(rounds >= 1) || !(threads >= 1)) {
  console.error(`bench/train: back ends are ${BACKENDS.join(', ')}; rounds and threads are at least 1.`);
  process.exit(2);
}
const asked = positionals.length > 0 ? positionals.filter(isBackendName) : (['tensorflow', 'wasm'] as const);

/** Milliseconds of one call: the mean of as many as fit into the time, at least one. */
async function timed(work: () => void | Promise<void>, budget = 400): Promise<number> {
  const start = performance.now();
  let count = 0;
  do {
    await work();
    count++;
  } while (performance.now() - start < budget);
  return (performance.now() - start) / count;
}

/** One case on one back end, and what each round measured, in milliseconds. */
interface Candidate {
  readonly backend: BackendName;
  readonly work: Case;
  readonly tf: Tf;
  readonly run: Work;
  readonly product: () => void;
  readonly steps: number[];
  readonly evaluations: number[];
  readonly products: number[];
}

const candidates: Candidate[] = [];
for (const backend of asked) {
  const tf = await loadTensorLibrary(backend, {threads});
  const product = peakProductOf(tf);
  for (const work of CASES) {
    const run = workOf(tf, work);
    candidates.push({backend, work, tf, run, product, steps: [], evaluations: [], products: []});
  }
}

const loads = [loadavg()[0] ?? Number.NaN];
for (let round = 0; round <= rounds; round++) {
  for (const {backend, tf, run, product, steps, evaluations, products} of candidates) {
    await tf.setBackend(backend);
    const [step, evaluation, peak] = [await timed(run.step), await timed(run.evaluation), await timed(product, 100)];
    if (round === 0) continue; // the first one builds what the back ends keep
    steps.push(step);
    evaluations.push(evaluation);
    products.push(peak);
  }
}
loads.push(loadavg()[0] ?? Number.NaN);

interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}
function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, low: at(0), high: at(sorted.length - 1)};
}

const machine = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  threads,
  node: process.version,
  rounds,
  load: loads.map((load) => Number(load.toFixed(2))),
};
if (!options.json) {
  const {processor, cores, node, load} = machine;
  console.log(`${processor}, ${cores} cores, ${threads} threads for an operation, Node ${node}`);
  console.log(`Median of ${rounds} rounds (lowest–highest); load of the machine ${load.join(' before, ')} after.\n`);
  console.log(
    '| back end | model, batch | training, images/s | step, ms | best of best matmul | matmul, GFLOP/s | evaluation, images/s |',
  );
  console.log('|---|---|---|---|---|---|---|');
}
for (const {backend, work, steps, evaluations, products} of candidates) {
  const perSecond = (count: number, times: readonly number[]) => spreadOf(times.map((time) => (1000 * count) / time));
  const result = {
    training: perSecond(work.batch, steps),
    step: spreadOf(steps),
    // best against best: on a shared machine the medians of long and short work suffer differently
    share: productsOf(work) / Math.min(...steps) / (PEAK_OPERATIONS / Math.min(...products)),
    peak: spreadOf(products.map((time) => PEAK_OPERATIONS / time / 1e6)),
    evaluation: perSecond(EVALUATED, evaluations),
  };
  if (options.json) {
    console.log(JSON.stringify({backend, case: work.name, batch: work.batch, ...result, machine}));
    continue;
  }
  const shown = ({median, low, high}: Spread, digits = 0) =>
    `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
  const cells = [
    backend,
    `${work.name}, ${work.batch}`,
    shown(result.training),
    shown(result.step, 1),
    `${(100 * result.share).toFixed(0)} %`,
    shown(result.peak),
    shown(result.evaluation),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
