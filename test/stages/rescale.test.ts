import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {dataSetSchema} from '../../stages/lib/data/data-set-value.ts';
import {vitConfigSchema} from '../../stages/lib/models/vit-config.ts';
import {normalEquations} from '../../stages/lib/pruning/least-squares.ts';
import {lsmr, times} from '../../stages/lib/pruning/lsmr.ts';
import {rescale} from '../../stages/lib/pruning/rescale.ts';
import {pack, unpack} from '../../stages/lib/training/parameter-layout.ts';
import {bindTask} from '../../stages/lib/training/task.ts';
import structuredPrune from '../../stages/structured-prune.ts';
import {lcg} from '../rig/lcg.ts';
import {locatedMnist, randomVit, recordingServices} from '../training/services.ts';
import {maskIn, runStage, weightsIn} from './run-stage.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});

/** Σ over rows y of y yᵀ. */
const gramOf = (rows: readonly (readonly number[])[], n: number): Float64Array =>
  Float64Array.from({length: n * n}, (_, place) =>
    rows.reduce((sum, row) => sum + (row[Math.floor(place / n)] ?? 0) * (row[place % n] ?? 0), 0),
  );

test('LSMR comes to where the gradient of ‖A x − b‖² + ‖x‖² is 0', () => {
  const n = 5;
  const row = fc.array(fc.double({min: -3, max: 3, noNaN: true}), {minLength: n, maxLength: n});
  fc.assert(
    fc.property(fc.array(row, {minLength: 8, maxLength: 12}), row, (rows, right) => {
      const matrix = gramOf(rows, n);
      const b = Float64Array.from(right);
      const x = lsmr(matrix, b, 1);
      fc.pre(x !== undefined);
      const residual = times(matrix, x ?? b).map((value, index) => value - (b[index] ?? 0));
      const gradient = times(matrix, residual).map((value, index) => value + (x?.[index] ?? 0));
      const size = Math.hypot(...matrix) * Math.hypot(...residual, ...(x ?? b)) + 1e-9;
      expect(Math.hypot(...gradient)).toBeLessThan(1e-5 * size);
    }),
  );
});

test('the normal equations are those of the outputs that are never made', () => {
  const [rows, columns, outputs, units] = [7, 6, 3, 2];
  const weight = Float32Array.from(lcg(1, [outputs, columns]));
  const x = Array.from({length: rows}, (_, row) => lcg(row + 2, [columns]));
  const wanted = Array.from({length: rows}, (_, row) => lcg(row + 50, [outputs]));
  // columns 0 and 1 are of one unit, 2 and 3 of a removed one, 4 and 5 of the other
  const unitOf = (column: number) => [0, undefined, 1][Math.floor(column / 2)];
  const equations = x.flatMap((row, at) =>
    Array.from({length: outputs}, (_, output) => {
      const ofUnit = (unit: number) =>
        row.reduce(
          (sum, value, column) =>
            sum + (unitOf(column) === unit ? value * (weight[output * columns + column] ?? 0) : 0),
          0,
        );
      return {made: [ofUnit(0), ofUnit(1), 1], should: wanted[at]?.[output] ?? 0};
    }),
  );
  const sums = {
    rows,
    gram: gramOf(x, columns),
    wanted: Float64Array.from({length: outputs * columns}, (_, place) =>
      x.reduce(
        (sum, row, at) => sum + (row[place % columns] ?? 0) * (wanted[at]?.[Math.floor(place / columns)] ?? 0),
        0,
      ),
    ),
    inputs: Float64Array.from({length: columns}, (_, column) => x.reduce((sum, row) => sum + (row[column] ?? 0), 0)),
    total: wanted.flat().reduce((sum, value) => sum + value, 0),
  };
  const ownGram = gramOf(
    Array.from({length: outputs}, (_, output) => [...weight.subarray(output * columns, (output + 1) * columns)]),
    columns,
  );
  const found = normalEquations({weight, ownGram, columns, unitOf, units}, sums, true);
  const matrix = gramOf(
    equations.map(({made}) => made),
    3,
  );
  found.matrix.forEach((value, place) => {
    expect(value).toBeCloseTo(matrix[place] ?? Number.NaN, 10);
  });
  found.right.forEach((value, unit) => {
    expect(value).toBeCloseTo(
      equations.reduce((sum, {made, should}) => sum + (made[unit] ?? 0) * should, 0),
      10,
    );
  });
});

const weights = randomVit(5);
const task = await bindTask(
  weights,
  {data: dataSetSchema.parse(data), precision: 'fp32'},
  recordingServices().services,
);
const config = vitConfigSchema.parse(weights.model);
const all = (bits: number): Uint8Array => new Uint8Array(bits).fill(1);
const without = (size: number, place: number): Uint8Array => all(size).map((bit, index) => (index === place ? 0 : bit));

test('of two equal neurons the one that stays is doubled, and of two equal heads the one that stays', async () => {
  const [layer, neurons, heads] = ['vit.encoder.layer.1', 24, 2];
  // neuron 7 and head 1 of the second block become those before them
  const twins = new Map(
    weights.tensors.map(({name, shape, values}, index) => {
      const biased = name.endsWith('.bias') ? Float32Array.from(lcg(index, shape)) : values.slice();
      return [name, {name, shape, values: biased}];
    }),
  );
  const copy = (name: string, to: number, from: number, size: number, axis: 0 | 1): void => {
    const {shape = [], values = new Float32Array()} = twins.get(`${layer}.${name}`) ?? {};
    const columns = shape[1] ?? 1;
    values.forEach((_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      const [at, back] = [axis === 0 ? row : column, from - to];
      if (at < to || at >= to + size) return;
      values[index] = values[axis === 0 ? (row + back) * columns + column : row * columns + column + back] ?? 0;
    });
  };
  // loud enough that damping by 1 does not hold it back
  const read = twins.get(`${layer}.output.dense.weight`)?.values ?? new Float32Array();
  for (let index = 6; index < read.length; index += neurons) read[index] = 10 * (read[index] ?? 0);
  copy('intermediate.dense.weight', 7, 6, 1, 0);
  copy('intermediate.dense.bias', 7, 6, 1, 0);
  copy('output.dense.weight', 7, 6, 1, 1);
  for (const part of ['query', 'key', 'value'])
    for (const end of ['weight', 'bias']) copy(`attention.attention.${part}.${end}`, 8, 0, 8, 0);
  copy('attention.output.dense.weight', 8, 0, 8, 1);
  const doubled = {...task, start: pack(task.layout, [...twins.values()])};
  const teacher = {heads: all(2 * heads), neurons: all(2 * neurons)};
  const student = {heads: without(2 * heads, 3), neurons: without(2 * neurons, 24 + 7)};
  const before = tf.memory().numTensors;
  const sampling = {samples: 256, batch: 60, seed: 1};
  const work = {task: doubled, config, precision: 'fp32', sampling} as const;
  const flat = await rescale(work, {student, teacher}, recordingServices().services);
  expect(tf.memory().numTensors).toBe(before);
  const scaled = new Map(unpack(task.layout, flat).map(({name, values}) => [name, values]));
  const ratio = (name: string, column: number): number =>
    (scaled.get(`${layer}.${name}`)?.[column] ?? Number.NaN) / (twins.get(`${layer}.${name}`)?.values[column] ?? 0);
  expect(ratio('attention.output.dense.weight', 3)).toBeCloseTo(2, 1);
  expect(ratio('output.dense.weight', 6)).toBeCloseTo(2, 1);
  expect(scaled.get(`${layer}.output.dense.weight`)?.[7]).toBe(0);
  // all that has no twin stays nearly as it is
  expect(Math.abs(ratio('output.dense.weight', 5) - 1)).toBeLessThan(0.1);
});

test('the mask stays, and only columns that read heads and neurons are scaled, each by one number', async () => {
  const params = {data, macs: 0.5, samples: 48, batch: 16};
  const plain = await runStage(structuredPrune, params, {weights});
  const rescaled = await runStage(structuredPrune, {...params, rescale: true}, {weights});
  expect(maskIn(rescaled)).toEqual(maskIn(plain));
  expect(rescaled.summary).toEqual(plain.summary);
  const before = new Map(weightsIn(plain).tensors.map(({name, values}) => [name, values]));
  let changed = 0;
  for (const {name, shape, values} of weightsIn(rescaled).tensors) {
    const old = before.get(name) ?? new Float32Array();
    if (!name.endsWith('output.dense.weight')) {
      expect(values, name).toEqual(old);
      continue;
    }
    const columns = shape[1] ?? 1;
    values.forEach((value, index) => {
      const [first, own] = [values[index % columns] ?? 0, old[index % columns] ?? 0];
      const scale = own === 0 ? 1 : first / own;
      expect(Math.abs(value - (old[index] ?? 0) * scale), name).toBeLessThan(1e-5);
      if (value !== old[index]) changed++;
    });
  }
  expect(changed).toBeGreaterThan(100);
});
