import {createRequire} from 'node:module';
import {dirname, sep} from 'node:path';
import {performance} from 'node:perf_hooks';
import {createInterface} from 'node:readline';
import {peakMemory, resetPeakMemory} from '../src/run/peak-memory.ts';
import type {Tf} from '../stages/tensor/library.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {ALL_CASES, type Case} from './cases.ts';
import {requestSchema, type SideOptions, sideOptionsSchema} from './side-protocol.ts';
import {workOf} from './work.ts';

/** basin's side of a comparison, a process of its own: reads a request a line, answers a line. */

const options = sideOptionsSchema.parse(JSON.parse(process.argv[2] ?? ''));

/** TensorFlow.js' wasm back end as its makers ship it, without our kernels. */
async function stockWasm(): Promise<Tf> {
  const require = createRequire(import.meta.url);
  const wasm: typeof import('@tensorflow/tfjs-backend-wasm') = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep);
  const tf: Tf = require('@tensorflow/tfjs');
  await tf.setBackend('wasm');
  return tf;
}

const load = ({backend, threads}: SideOptions): Promise<Tf> =>
  backend === 'stock-wasm' ? stockWasm() : loadTensorLibrary(backend, {threads});

/** The fastest of some products, in GFLOP/s; each is waited for. */
function multiply(tf: Tf, [rows, inner, columns]: readonly [number, number, number]): number {
  const [a, b] = [tf.randomNormal([rows, inner]), tf.randomNormal([inner, columns])];
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 300;
  while (performance.now() < end) {
    const start = performance.now();
    tf.tidy(() => tf.slice(tf.matMul(a, b), [0, 0], [1, 1]).dataSync());
    best = Math.min(best, performance.now() - start);
  }
  tf.dispose([a, b]);
  return (2 * rows * inner * columns) / best / 1e6;
}

async function answerTo(tf: Tf, work: AsyncGenerator<number>, line: string): Promise<object> {
  const request = requestSchema.parse(JSON.parse(line));
  switch (request.do) {
    case 'run': {
      const start = performance.now();
      const values: number[] = [];
      for (let unit = 0; unit < request.count; unit++) {
        const {value} = await work.next();
        values.push(value);
      }
      return {milliseconds: performance.now() - start, values};
    }
    case 'multiply':
      return {gflops: multiply(tf, request.shape)};
    case 'memory': {
      const mib = peakMemory();
      resetPeakMemory();
      return {mib};
    }
    case 'name':
      return {name: `basin ${options.backend}`};
  }
}

function caseNamed(id: string): Case {
  const one = ALL_CASES.find((known) => known.id === id);
  if (!one) throw new Error(`No case is called ${id}.`);
  return one;
}

const tf = await load(options);
const work = workOf(tf, caseNamed(options.case));
for await (const line of createInterface({input: process.stdin})) {
  try {
    process.stdout.write(`${JSON.stringify(await answerTo(tf, work, line))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({error: error instanceof Error ? error.message : String(error)})}\n`);
  }
}
process.exit(0); // a stage that waits at its turnstile would wait for ever
