import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import type {Case} from './case.ts';
import {convolutionCases} from './convolutions.ts';
import {networkCases} from './network.ts';
import {operationCases} from './operations.ts';
import {productCases} from './products.ts';
import type {KernelFault, SelfTestResult} from './result.ts';
import {trainingCases} from './training.ts';

const CASES: readonly Case[] = [
  ...operationCases,
  ...productCases,
  ...networkCases,
  ...convolutionCases,
  ...trainingCases,
];

/** Largest difference that other orders of summation in float32 explain, relative to the largest value of a tensor. */
const TOLERANCE = 5e-5;

interface Answer {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

async function answersOf(tf: Tf, backend: string, {compute}: Case): Promise<readonly Answer[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const computed = compute(tf);
    const tensors: readonly Tensor[] = 'dtype' in computed ? [computed] : computed;
    return tensors.map((tensor) => ({shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync()}));
  });
}

function difference(actual: Answer, expected: Answer): string | undefined {
  if (actual.dtype !== expected.dtype) return `type ${actual.dtype} instead of ${expected.dtype}`;
  if (actual.shape.join() !== expected.shape.join()) return `shape [${actual.shape}] instead of [${expected.shape}]`;
  let scale = 1;
  let worst = 0;
  for (let i = 0; i < expected.values.length; i++) {
    const [is, should] = [actual.values[i] ?? Number.NaN, expected.values[i] ?? Number.NaN];
    if (Object.is(is, should) || is === should) continue;
    const distance = Math.abs(is - should);
    if (!Number.isFinite(distance)) return `${is} instead of ${should}`;
    if (Number.isFinite(should)) scale = Math.max(scale, Math.abs(should));
    worst = Math.max(worst, distance);
  }
  const allowed = expected.dtype === 'float32' ? TOLERANCE * scale : 0;
  return worst > allowed ? `off by ${worst.toPrecision(2)}` : undefined;
}

async function faultOf(tf: Tf, backend: string, one: Case): Promise<KernelFault | undefined> {
  const expected = await answersOf(tf, 'cpu', one);
  try {
    const actual = await answersOf(tf, backend, one);
    const details = expected.map((should, i) => {
      const is = actual[i];
      return is ? difference(is, should) : 'an output is missing';
    });
    const at = details.findIndex((detail) => detail !== undefined);
    return at < 0 ? undefined : {case: one.name, detail: `output ${at}: ${details[at]}`};
  } catch (error) {
    return {case: one.name, detail: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)};
  }
}

/** Computes every case on a loaded back end and on `cpu`, in this process; `onStart` hears of each before it is tried. */
export async function compareWithCpu(
  tf: Tf,
  backend: string,
  onStart: (name: string) => void = () => {},
): Promise<SelfTestResult> {
  const needed: KernelFault[] = [];
  const avoided: KernelFault[] = [];
  for (const one of CASES) {
    onStart(one.name);
    const fault = await faultOf(tf, backend, one);
    if (fault) (one.avoided ? avoided : needed).push(fault);
  }
  return {cases: CASES.length, needed, avoided};
}
