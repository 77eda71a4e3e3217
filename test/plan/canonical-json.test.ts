import canonicalize from 'canonicalize';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import type {Json} from '../../src/base/json.ts';

const json: fc.Arbitrary<Json> = fc.letrec<{value: Json}>((tie) => ({
  value: fc.oneof(
    {maxDepth: 4},
    fc.constant(null),
    fc.boolean(),
    fc.double({noNaN: true, noDefaultInfinity: true}),
    fc.string({unit: 'grapheme'}),
    fc.array(tie('value'), {maxLength: 4}),
    fc.dictionary(
      fc.string({unit: fc.constantFrom('a', 'B', '1', '10', '"', '\n', 'é', '\u{1f600}', '\uffff')}),
      tie('value'),
    ),
  ),
})).value;

test('the canonical text of a value is that of RFC 8785, as a package that others made writes it', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(canonicalJson(value)).toBe(canonicalize(value));
    }),
    {numRuns: 2_000, seed: 1},
  );
});

test('values nested a hundred thousand deep have a text too', () => {
  let deep: Json = 1;
  for (let level = 0; level < 100_000; level += 1) deep = level % 2 === 0 ? [deep] : {a: deep};
  expect(canonicalJson(deep)).toBe(canonicalize(deep));
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [{'\udfff': 1}], [[{a: ['\ud800']}]]])(
  'what has no JSON text is refused: %j',
  (value: Json) => {
    expect(() => canonicalJson(value)).toThrow();
  },
);
