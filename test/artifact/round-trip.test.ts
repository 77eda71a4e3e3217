import fc from 'fast-check';
import {expect, test} from 'vitest';
import {decodeArtifact} from '../../src/artifact/decode.ts';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import {digestOf} from '../../src/base/digest.ts';
import {mask, someWeights, summary, weights} from './artifact-arbitraries.ts';

test('any weights come back equal, and twice give the same bytes', () => {
  fc.assert(
    fc.property(weights, (value) => {
      const bytes = encodeArtifact({kind: 'weights'}, value);
      expect(decodeArtifact('weights', bytes)).toEqual(value);
      expect(encodeArtifact({kind: 'weights'}, value)).toEqual(bytes);
    }),
  );
});

test('any mask comes back equal, and twice gives the same bytes', () => {
  fc.assert(
    fc.property(mask, (value) => {
      const bytes = encodeArtifact({kind: 'mask'}, value);
      expect(decodeArtifact('mask', bytes)).toEqual(value);
      expect(encodeArtifact({kind: 'mask'}, value)).toEqual(bytes);
    }),
  );
});

test('any table comes back equal, and twice gives the same bytes', () => {
  fc.assert(
    fc.property(summary, ({columns, rows}) => {
      const bytes = encodeArtifact({kind: 'summary', columns}, rows);
      expect(decodeArtifact('summary', bytes)).toEqual(rows);
      expect(encodeArtifact({kind: 'summary', columns}, rows)).toEqual(bytes);
    }),
  );
});

test('tensors lie in the file by name, whatever order they are given in', () => {
  const turned = {...someWeights, tensors: someWeights.tensors.toReversed()};
  const bytes = encodeArtifact({kind: 'weights'}, someWeights);
  expect(encodeArtifact({kind: 'weights'}, turned)).toEqual(bytes);
  expect(decodeArtifact('weights', bytes).tensors.map(({name}) => name)).toEqual(['a', 'b']);
});

test('minus zero and every last bit survive', () => {
  const [, b] = decodeArtifact('weights', encodeArtifact({kind: 'weights'}, someWeights)).tensors;
  expect(Object.is(b?.values[3], -0)).toBe(true);
});

test('reading weights copies nothing: the values are views on the file, in whole elements', () => {
  const bytes = encodeArtifact({kind: 'weights'}, someWeights);
  for (const {values} of decodeArtifact('weights', bytes).tensors) {
    expect(values.buffer).toBe(bytes.buffer);
    expect(values.byteOffset % 8).toBe(0);
  }
});

test('a file that starts at an odd address is read all the same', () => {
  const bytes = encodeArtifact({kind: 'weights'}, someWeights);
  const shifted = new Uint8Array(bytes.byteLength + 3).subarray(3);
  shifted.set(bytes);
  expect(decodeArtifact('weights', shifted)).toEqual(decodeArtifact('weights', bytes));
});

test('the bytes of every kind are frozen: a change here makes every cache foreign', () => {
  const point = {split: 'test', loss: 0.25, error: 8, accuracy: 92, n: 100};
  expect({
    weights: digestOf(encodeArtifact({kind: 'weights'}, someWeights)),
    mask: digestOf(encodeArtifact({kind: 'mask'}, {tensors: [{name: 'a', shape: [3], bits: Uint8Array.of(1, 0, 1)}]})),
    points: digestOf(encodeArtifact({kind: 'points'}, [point])),
    noPoints: digestOf(encodeArtifact({kind: 'points'}, [])),
    summary: digestOf(encodeArtifact({kind: 'summary', columns: {stable: 'bool'}}, [{stable: true}])),
  }).toEqual(FROZEN);
});

const FROZEN = {
  weights: '90125e5f1cbf1478d713fc1e021f22b169c55bc3c9f312f8d4f99788e16cf7c1',
  mask: '6028d0b7bbf672d6b1639d20044a444d60c54db4b1f0c8c7340d3dc855e60917',
  points: '955fc5a7761ee03a58478cae2fb9c52ff6143017bfb654c63dd170841647287f',
  noPoints: '8bffe3c21ddb60fba7118c38cedf4cd8ead6713a138d95dc757829d8b3115cec',
  summary: '41b57cecdbc4bc91d91c7b2a58a2c73fe53604b893a64d3427679ebfd8a058b1',
};
