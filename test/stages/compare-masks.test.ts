import fc from 'fast-check';
import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Mask} from '../../src/artifact/kinds.ts';
import compareMasks from '../../stages/compare-masks.ts';
import evaluateStage from '../../stages/evaluate.ts';
import interpolate from '../../stages/interpolate.ts';
import {shuffledMask} from '../../stages/random-mask.ts';
import {locatedMnist, randomMlp, recordingServices} from '../training/services.ts';

const maskSchema = z.object({
  tensors: z.array(z.object({name: z.string(), shape: z.array(z.number()), bits: z.instanceof(Uint8Array)})),
});
const summarySchema = z.array(z.record(z.string(), z.union([z.string(), z.number()])));

async function compare(a: Mask, b: Mask) {
  const outputs = await compareMasks.run({params: {}, inputs: {a, b}, services: recordingServices().services});
  return {
    summary: summarySchema.parse(outputs.summary),
    union: maskSchema.parse(outputs.union),
    intersection: maskSchema.parse(outputs.intersection),
  };
}

/** Tensors of text, a bit each. */
const maskOf = (tensors: Readonly<Record<string, string>>): Mask => ({
  tensors: Object.entries(tensors).map(([name, text]) => ({
    ...{name, shape: [text.length]},
    bits: Uint8Array.from(text, Number),
  })),
});

test('counts, Jaccard indices and what chance gives, tensor by tensor and as a whole', async () => {
  const {summary, union, intersection} = await compare(
    maskOf({u: '1100', v: '10101010'}),
    maskOf({u: '0110', v: '11001000'}),
  );
  expect(summary).toEqual([
    {
      tensor: '(all)',
      size: 12,
      kept_a: 6,
      kept_b: 5,
      union: 8,
      intersection: 3,
      jaccard: 3 / 8,
      jaccard_random: 2.5 / 8.5,
    },
    {tensor: 'u', size: 4, kept_a: 2, kept_b: 2, union: 3, intersection: 1, jaccard: 1 / 3, jaccard_random: 1 / 3},
    {tensor: 'v', size: 8, kept_a: 4, kept_b: 3, union: 5, intersection: 2, jaccard: 2 / 5, jaccard_random: 1.5 / 5.5},
  ]);
  expect(union).toEqual(maskOf({u: '1110', v: '11101010'}));
  expect(intersection).toEqual(maskOf({u: '0100', v: '10001000'}));
});

test('a tensor that one mask does not name is kept whole by it, and what keeps nothing twice is equal', async () => {
  const {summary, intersection} = await compare(maskOf({u: '01', v: '00'}), maskOf({v: '00', w: '10'}));
  expect(intersection).toEqual(maskOf({u: '01', v: '00', w: '10'}));
  expect(summary.map(({tensor, kept_a, kept_b, jaccard}) => [tensor, kept_a, kept_b, jaccard])).toEqual([
    ['(all)', 3, 3, 0.5],
    ['u', 1, 2, 0.5],
    ['v', 0, 0, 1],
    ['w', 2, 1, 0.5],
  ]);
});

test('the index is symmetric, 1 for a mask with itself, and never outside [0, 1]', async () => {
  const bits = fc.string({unit: fc.constantFrom('0', '1'), minLength: 9, maxLength: 9});
  await fc.assert(
    fc.asyncProperty(bits, bits, async (one, other) => {
      const [a, b] = [maskOf({u: one}), maskOf({u: other})];
      const indexOf = async (x: Mask, y: Mask) => (await compare(x, y)).summary[0]?.jaccard;
      const index = await indexOf(a, b);
      expect(index).toBe(await indexOf(b, a));
      expect(index).toBeGreaterThanOrEqual(0);
      expect(index).toBeLessThanOrEqual(1);
      expect(index === 1).toBe(one === other);
    }),
  );
});

test('independent places overlap as much as jaccard_random says', async () => {
  const mask = maskOf({u: '1'.repeat(2000) + '0'.repeat(8000)});
  const [row] = (await compare(shuffledMask(mask, 1), shuffledMask(mask, 2))).summary;
  expect(row?.jaccard_random).toBeCloseTo(400 / 3600, 10);
  expect(row?.jaccard).toBeCloseTo(400 / 3600, 1);
});

test('masks of other shapes and of another architecture are refused', async () => {
  await expect(compare(maskOf({u: '1'}), maskOf({u: '11'}))).rejects.toThrow(
    'The masks do not fit each other: u is [1] in the first and [2] in the second.',
  );
  await expect(compare(maskOf({u: '1', x: '1'}), maskOf({v: '11'}))).rejects.toThrow(
    'The masks share no tensor: the first names u and 1 more, the second v.',
  );
});

test('a mask on a line is on every point of it, and the mask of all changes nothing', async () => {
  const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
  const [a, b] = [randomMlp(1), randomMlp(2)];
  const run = async (alpha: number, mask?: Mask) =>
    (
      await interpolate.run({
        params: {alpha, data, train: 0},
        inputs: {a, b, mask},
        services: recordingServices().services,
      })
    ).points;
  const size = 8 * 784;
  const half: Mask = {
    tensors: [{name: 'fc1.weight', shape: [8, 784], bits: Uint8Array.from({length: size}, (_, i) => i % 2)}],
  };
  const all: Mask = {tensors: [{name: 'fc1.weight', shape: [8, 784], bits: new Uint8Array(size).fill(1)}]};
  expect(await run(0.4, all)).toEqual(await run(0.4));
  const masked = {
    ...a,
    tensors: a.tensors.map((tensor) =>
      tensor.name === 'fc1.weight' ? {...tensor, values: tensor.values.map((value, i) => (i % 2 ? value : 0))} : tensor,
    ),
  };
  const evaluated = await evaluateStage.run({
    params: {data},
    inputs: {weights: masked},
    services: recordingServices().services,
  });
  const [point] = summarySchema.parse(await run(0, half));
  expect(summarySchema.parse(evaluated.summary)[0]).toMatchObject(point ?? {});
  await expect(run(0, maskOf({u: '1'}))).rejects.toThrow(
    'The mask does not fit the weights: u [1] is not among the weights.',
  );
});
