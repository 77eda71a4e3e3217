import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {allFinite} from '../../stages/lib/all-finite.ts';
import {chooseScorer} from '../../stages/lib/pruning/choose-scorer.ts';
import {gradual} from '../../stages/lib/pruning/gradual.ts';
import {platonScorer} from '../../stages/lib/pruning/platon-scorer.ts';
import {remaining} from '../../stages/lib/pruning/schedule.ts';
import {kthSmallest, select, selectExactly, selectReleased} from '../../stages/lib/pruning/selection.ts';
import {layoutOf} from '../../stages/lib/training/parameter-layout.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';
import {golden, lcg} from './golden.ts';

const {hp, params, total_step: steps, trace} = golden.platon;
const SCHEDULE = {
  steps,
  warmup: hp.initial_warmup * hp.warmup_steps,
  finalWarmup: hp.final_warmup * hp.warmup_steps,
  interval: hp.deltaT,
  keep: hp.final_threshold,
};
const sizes = params.map(([, shape]) => shape.reduce((product, axis) => product * axis, 1));
const SIZE = sizes.reduce((sum, size) => sum + size, 0);
/** The first three of the five tensors are pruned in the trace. */
const PRUNABLE = sizes.slice(0, 3).reduce((sum, size) => sum + size, 0);

const PLAIN = {init: 'zeros', head: false} as const;

/** The trace's run: plain SGD at 0.1 with PLATON behind it, all gradients given. */
function* traceRun(method: 'released' | 'exact', beta2 = hp.beta2) {
  const weights = lcg(99);
  const gradients = lcg(4242);
  const scorer = platonScorer(tf, PRUNABLE, {interval: SCHEDULE.interval, beta1: hp.beta1, beta2});
  const hook = gradual(tf, {size: SIZE, prunable: PRUNABLE}, {schedule: SCHEDULE, method, scorer});
  let flat = tf.tensor1d(Array.from({length: SIZE}, () => (weights() - 0.5) * 2));
  for (let step = 1; step <= SCHEDULE.steps; step++) {
    const gradient = tf.tensor1d(Array.from({length: SIZE}, () => gradients() - 0.5));
    const updated: tf.Tensor1D = tf.sub(flat, tf.mul(gradient, 0.1));
    const given = hook.afterUpdate?.(updated, gradient, hook.inputs?.(step) ?? {});
    flat = (given && hook.afterStep?.(step, given)) ?? updated;
    yield {step, flat: flat.dataSync<'float32'>(), hook, scorer};
  }
}

const flattened = (
  byName: Readonly<Record<string, readonly (number | readonly number[])[]>>,
  count: number,
): number[] => params.slice(0, count).flatMap(([name]) => (byName[name] ?? []).flat());

const expectClose = (found: ArrayLike<number>, expected: readonly number[], relative: number) => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, index) => {
    expect(Math.abs((found[index] ?? Number.NaN) - value)).toBeLessThanOrEqual(
      relative * Math.max(1e-3, Math.abs(value)),
    );
  });
};

test.each((await backends()).map(({name}) => name))(
  'the published Pruner’s trace is reproduced on %s: thresholds, counts, weights, both means',
  async (name) => {
    await withBackend(name);
    let last: {flat: Float32Array; scorer: ReturnType<typeof platonScorer>} | undefined;
    for (const {step, flat, hook, scorer} of traceRun('released')) {
      const expected = trace[step - 1];
      if (!expected) throw new Error('the trace is shorter than the run');
      expect(remaining(SCHEDULE, step).ratio).toBeCloseTo(expected.r, 12);
      expect(remaining(SCHEDULE, step).masks).toBe(expected.mask_threshold !== null);
      if (expected.mask_threshold !== null) {
        const {threshold = Number.NaN} = hook.columns?.() ?? {};
        expect(Math.abs(threshold / expected.mask_threshold - 1)).toBeLessThan(1e-4);
      }
      const nonzero = sizes.map((size, index) => {
        const start = sizes.slice(0, index).reduce((sum, earlier) => sum + earlier, 0);
        return flat.subarray(start, start + size).filter((value) => value !== 0).length;
      });
      expect(nonzero, `step ${step}`).toEqual(expected.nonzero);
      last = {flat, scorer};
    }
    if (!last) throw new Error('nothing ran');
    expectClose(last.flat, flattened(golden.platon.final, 5), 1e-5);
    expectClose(last.scorer.state().importance.dataSync(), flattened(golden.platon.exp_avg_ipt, 3), 1e-5);
    expectClose(last.scorer.state().uncertainty.dataSync(), flattened(golden.platon.exp_avg_unc, 3), 1e-5);
  },
);

test('at beta2 = 1 importance alone decides, by the published rule', async () => {
  await tf.setBackend('cpu');
  let rounds = 0;
  for (const {step, hook, scorer} of traceRun('released', 1)) {
    const {ratio, masks} = remaining(SCHEDULE, step);
    const importance = scorer.state().importance.dataSync<'float32'>();
    if (!masks || step % SCHEDULE.interval !== 0 || step < scorer.firstStep) continue;
    rounds++;
    expect(hook.selection(), `step ${step}`).toEqual(selectReleased(importance, ratio));
  }
  expect(rounds).toBeGreaterThan(2);
});

/** `Magnitude` of Pruner.py on the trace's numbers: |p| anew at every step that masks. */
function* magnitudeByPruner() {
  const weights = lcg(99);
  const gradients = lcg(4242);
  const flat = Float32Array.from({length: SIZE}, () => (weights() - 0.5) * 2);
  for (let step = 1; step <= SCHEDULE.steps; step++) {
    for (let index = 0; index < SIZE; index++) {
      flat[index] = (flat[index] ?? 0) - Math.fround(Math.fround(gradients() - 0.5) * Math.fround(0.1));
    }
    const {ratio, masks} = remaining(SCHEDULE, step);
    const scores = flat.subarray(0, PRUNABLE).map(Math.abs);
    const edge = scores.toSorted()[Math.trunc(PRUNABLE * (1 - ratio)) - 1] ?? 0;
    if (masks) scores.forEach((score, index) => void (score < edge && flat.fill(0, index, index + 1)));
    yield flat;
  }
}

test.each([
  ['with rescore: step magnitude is chosen as the published Pruner does, after every step of the final phase', 'step'],
  ['without it the choice of the final phase stands between multiples of ΔT', undefined],
] as const)('%s', async (_, rescore) => {
  await tf.setBackend('cpu');
  const weights = lcg(99);
  const gradients = lcg(4242);
  const layout = layoutOf(
    params.map(([name, shape], index) => ({...PLAIN, name: `${index}${name}`, shape, prunable: index < 3})),
  );
  const score = {name: 'magnitude', ...(rescore && {rescore})} as const;
  const scorer = chooseScorer(tf, layout, SCHEDULE.interval, score);
  const hook = gradual(tf, layout, {schedule: SCHEDULE, method: 'released', scorer});
  let flat = tf.tensor1d(Array.from({length: SIZE}, () => (weights() - 0.5) * 2));
  const differing: number[] = [];
  let step = 0;
  for (const expected of magnitudeByPruner()) {
    step++;
    const gradient = tf.tensor1d(Array.from({length: SIZE}, () => gradients() - 0.5));
    const updated: tf.Tensor1D = tf.sub(flat, tf.mul(gradient, 0.1));
    flat = hook.afterStep?.(step, {flat: updated}) ?? updated;
    const found = flat.dataSync<'float32'>();
    if (expected.some((value, index) => Math.abs(value - (found[index] ?? Number.NaN)) > 1e-5)) differing.push(step);
  }
  if (rescore) expect(differing).toEqual([]);
  else expect(Math.min(...differing)).toBeGreaterThan(SCHEDULE.steps - SCHEDULE.finalWarmup);
});

test('the exact rule keeps round(N·r) weights at every masked step', async () => {
  await tf.setBackend('cpu');
  for (const {step, flat} of traceRun('exact')) {
    const {ratio, masks} = remaining(SCHEDULE, step);
    const nonzero = flat.subarray(0, PRUNABLE).filter((value) => value !== 0).length;
    expect(nonzero, `step ${step}`).toBe(masks ? Math.round(PRUNABLE * ratio) : PRUNABLE);
    expect(flat.some((value) => Object.is(value, -0))).toBe(false);
  }
});

test('the last step masks even without a final phase and off the interval', () => {
  expect(remaining({steps: 7, warmup: 1, finalWarmup: 0, interval: 5, keep: 0.5}, 7)).toEqual({
    ratio: 0.5,
    masks: true,
  });
});

test('equal scores at the edge go to the lowest index', () => {
  expect([...selectExactly(Float32Array.of(1, 2, 1, 1, 3), 3).bits]).toEqual([1, 1, 0, 0, 1]);
  expect([...selectExactly(new Float32Array(4), 2).bits]).toEqual([1, 1, 0, 0]);
  expect(selectExactly(Float32Array.of(1, 2), 0).kept).toBe(0);
  expect(selectExactly(Float32Array.of(1, 2), 2).kept).toBe(2);
});

test('the published rule keeps N − k + 1 without ties, all ties, and everything for k = 0', () => {
  expect(selectReleased(Float32Array.of(4, 1, 3, 2), 0.5)).toMatchObject({kept: 3, threshold: 2});
  expect(selectReleased(new Float32Array(8), 0.25).kept).toBe(8);
  expect(
    selectReleased(
      Float32Array.from({length: 10}, (_, i) => i),
      0.9,
    ),
  ).toMatchObject({kept: 10, threshold: 0});
});

/** Scores of either sign with many ties. */
const scoresAndRatio = [
  fc.array(fc.integer({min: -3, max: 8}), {minLength: 1, maxLength: 40}).map((of) => Float32Array.from(of)),
  fc.double({min: 0, max: 1, noNaN: true}),
] as const;

test('whatever is equal, the exact rule keeps round(N·r), and neither rule removes a score that is above one it keeps', () => {
  fc.assert(
    fc.property(...scoresAndRatio, (scores, ratio) => {
      const exact = select('exact', scores, ratio);
      const released = select('released', scores, ratio);
      expect(exact.kept).toBe(Math.round(scores.length * ratio));
      expect(released.kept).toBeGreaterThanOrEqual(scores.length - Math.trunc(scores.length * (1 - ratio)));
      for (const {bits, kept} of [exact, released]) {
        expect(bits.reduce((sum, bit) => sum + bit, 0)).toBe(kept);
        const among = (wanted: number) => [...scores].filter((_, index) => bits[index] === wanted);
        expect(Math.max(...among(0), -Infinity)).toBeLessThanOrEqual(Math.min(...among(1), Infinity));
      }
      // all that equals the edge stays by the published rule
      const removed = [...scores].filter((_, index) => released.bits[index] === 0);
      expect(removed.every((score) => score < released.threshold)).toBe(true);
    }),
  );
});

test('the k-th smallest value is that of a full sort', () => {
  const next = lcg(7);
  const values = Float32Array.from(
    {length: 5000},
    () => Math.floor(next() * 300 - 100) * 10 ** -Math.floor(next() * 30),
  );
  const sorted = values.toSorted();
  for (const k of [1, 2, 777, 2500, 4999, 5000]) expect(kthSmallest(values, k)).toBe(sorted[k - 1]);
});

test('scores that are not finite are told from all others, the largest and the smallest', () => {
  expect(allFinite(Float32Array.of(0, -0, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45))).toBe(true);
  for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    expect(allFinite(Float32Array.of(1, broken))).toBe(false);
});
