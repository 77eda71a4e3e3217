import fc from 'fast-check';
import {expect, test} from 'vitest';
import {type MaskedTensor, pruneByMagnitude} from '../../stages/lib/pruning/magnitude.ts';
import {type MagnitudeRule, magnitudeRule} from '../../stages/lib/pruning/magnitude-rule.ts';
import {golden, lcg} from '../training/golden.ts';

const rule = (given: object): MagnitudeRule => magnitudeRule.parse(given);
const dense = (values: readonly number[], name = 'fc1.weight'): MaskedTensor => ({
  name,
  values: Float32Array.from(values),
  bits: new Uint8Array(values.length).fill(1),
});
const zerosIn = (bits: readonly Uint8Array[]): number =>
  bits.reduce((sum, of) => sum + of.filter((bit) => bit === 0).length, 0);
const next = lcg(8);
const weights = golden.imp_bert_tickets.sizes.map((size, index) =>
  dense(
    Array.from({length: size}, () => (next() - 0.5) * 2),
    `layer${index}.weight`,
  ),
);

test('open_lth’s rule on the given vector: n + 1 weights go, up to the threshold', () => {
  const {pruned, threshold} = golden.imp_open_lth;
  const bits = pruneByMagnitude(weights, rule({rule: 'open_lth', fraction: 0.2}));
  expect(zerosIn(bits)).toBe(pruned);
  weights.forEach(({values}, tensor) => {
    values.forEach((value, index) => {
      expect(bits[tensor]?.[index]).toBe(Math.abs(value) > threshold + 1e-6 ? 1 : 0);
    });
  });
});

test('BERT-Tickets’ rounds on the given vector: counts and masks', () => {
  const {pruned_after_rounds, masks} = golden.imp_bert_tickets;
  let tensors = weights;
  pruned_after_rounds.forEach((pruned, round) => {
    const bits = pruneByMagnitude(tensors, rule({rule: 'bert-tickets', round}));
    expect(zerosIn(bits)).toBe(pruned);
    tensors = tensors.map((tensor, index) => ({...tensor, bits: bits[index] ?? tensor.bits}));
  });
  expect(tensors.map(({bits}) => [...bits])).toEqual(masks.map((rows) => rows.flat()));
});

test('BERT-Tickets’ count goes to the even number at a half, and equal weights stay by index', () => {
  // a tenth of 5 and of 15 weights
  expect(zerosIn(pruneByMagnitude([dense([1, 1, 1, 1, 1])], rule({rule: 'bert-tickets', round: 0})))).toBe(0);
  const [bits] = pruneByMagnitude([dense(Array.from({length: 15}, () => -2))], rule({rule: 'bert-tickets', round: 0}));
  expect([...(bits ?? [])]).toEqual([...Array.from({length: 13}, () => 1), 0, 0]);
});

test('the original rule goes by tensor, with its own rate for some, and takes all that equal the last', () => {
  const first = dense([1, -2, 3, -4, 5, 6, 7, 8, 9, 10]);
  const ties = dense([2, -2, 2, 3, 3], 'fc2.weight');
  const given = {
    rule: 'original',
    fraction: 0.2,
    rates: [
      {of: 'fc', fraction: 0.5},
      {of: 'fc2', fraction: 0.1},
    ],
  };
  const [bits, tied] = pruneByMagnitude([first, ties], rule(given));
  // index round(0.5 · 10) = 5 of the sorted, that one included; round(0.1 · 5 = 0.5) is 0, and its equals go too
  expect([...(bits ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  expect([...(tied ?? [])]).toEqual([0, 0, 0, 1, 1]);
});

test('what open_lth ignores counts and stays', () => {
  const [body, head] = pruneByMagnitude(
    [dense([1, 2, 3, 4, 5, 6]), dense([0.1, 0.1, 0.1, 0.1], 'classifier.weight')],
    rule({rule: 'open_lth', fraction: 0.25, ignore: ['classifier']}),
  );
  // ceil(0.25 · 10) = 3 and one more
  expect([...(body ?? [])]).toEqual([0, 0, 0, 0, 1, 1]);
  expect([...(head ?? [])]).toEqual([1, 1, 1, 1]);
});

test('a round that would leave nothing is refused', () => {
  for (const given of [
    {rule: 'open_lth', fraction: 0.9},
    {rule: 'original', fraction: 0.9},
    {rule: 'exact', keep: 0.1},
  ])
    expect(() => pruneByMagnitude([dense([1, 2, 3])], rule(given))).toThrow(
      'would remove all of the 3 weights that are left',
    );
  expect(() =>
    pruneByMagnitude([{...dense([1, 2]), bits: Uint8Array.of(1, 0)}], rule({rule: 'exact', keep: 1})),
  ).toThrow('keep: 1 of 2 weights is 2, and the mask has only 1 left.');
});

// few values, so that ties are the rule
const tensors = fc
  .array(fc.array(fc.integer({min: -6, max: 6}), {minLength: 1, maxLength: 12}), {minLength: 1, maxLength: 4})
  .map((values) => values.map((of, index) => dense(of, `fc${index}.weight`)));

const anyRule = fc.oneof(
  fc.record({rule: fc.constant('open_lth'), fraction: fc.double({min: 0.01, max: 0.6, noNaN: true})}),
  fc.record({rule: fc.constant('original'), fraction: fc.double({min: 0.01, max: 0.6, noNaN: true})}),
  fc.record({rule: fc.constant('bert-tickets'), round: fc.integer({min: 0, max: 8})}),
);

test('round after round a mask only shrinks, and what goes is never larger than what stays', () => {
  fc.assert(
    fc.property(tensors, fc.array(anyRule, {minLength: 1, maxLength: 4}), (start, rounds) => {
      let now = start;
      for (const given of rounds) {
        let bits: readonly Uint8Array[];
        try {
          bits = pruneByMagnitude(now, rule(given));
        } catch {
          return; // nothing would be left
        }
        const groups = given.rule === 'original' ? now.map((_, index) => [index]) : [now.map((_, index) => index)];
        for (const group of groups) {
          const sizes = (kept: number): readonly number[] =>
            group.flatMap((tensor) =>
              [...(now[tensor]?.values ?? [])].flatMap((value, index) =>
                now[tensor]?.bits[index] === 1 && bits[tensor]?.[index] === kept ? [Math.abs(value)] : [],
              ),
            );
          expect(Math.max(...sizes(0), 0)).toBeLessThanOrEqual(Math.min(...sizes(1), Number.POSITIVE_INFINITY));
        }
        bits.forEach((of, tensor) => {
          for (const [index, bit] of of.entries()) expect(bit).toBeLessThanOrEqual(now[tensor]?.bits[index] ?? 0);
        });
        now = now.map((tensor, index) => ({...tensor, bits: bits[index] ?? tensor.bits}));
      }
    }),
    {numRuns: 200},
  );
});

test('the exact rule keeps round(N · keep), whatever is equal', () => {
  fc.assert(
    fc.property(tensors, fc.double({min: 0.01, max: 1, noNaN: true}), (start, keep) => {
      const all = start.reduce((sum, {bits}) => sum + bits.length, 0);
      fc.pre(Math.round(all * keep) > 0);
      expect(all - zerosIn(pruneByMagnitude(start, rule({rule: 'exact', keep})))).toBe(Math.round(all * keep));
    }),
    {numRuns: 200},
  );
});
