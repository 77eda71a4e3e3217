import {tableFromArrays, tableToIPC} from 'apache-arrow';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ArtifactError} from '../../src/artifact/artifact-error.ts';
import {decodeArtifact} from '../../src/artifact/decode.ts';
import {encodeArtifact} from '../../src/artifact/encode.ts';
import type {ArrowKind} from '../../src/artifact/kinds.ts';
import {someWeights} from './artifact-arbitraries.ts';

const FILES: readonly (readonly [ArrowKind, Uint8Array])[] = [
  ['weights', encodeArtifact({kind: 'weights'}, someWeights)],
  ['mask', encodeArtifact({kind: 'mask'}, {tensors: [{name: 'a', shape: [9], bits: new Uint8Array(9).fill(1)}]})],
  ['points', encodeArtifact({kind: 'points'}, [{split: 'test', loss: 1, error: 50, accuracy: 50, n: 10}])],
];

/** Decodes or fails with a sentence of ours that names the file; anything else is a defect. */
function decodeOrExplain(kind: ArrowKind, bytes: Uint8Array): unknown {
  try {
    return decodeArtifact(kind, bytes, 'cache/x.arrow');
  } catch (error) {
    expect(error).toBeInstanceOf(ArtifactError);
    expect(String(error)).toContain('cache/x.arrow');
    return undefined;
  }
}

test.each(FILES)('%s cut anywhere is said to be damaged', (kind, bytes) => {
  for (let length = 0; length < bytes.byteLength; length++)
    expect(() => decodeArtifact(kind, bytes.slice(0, length), 'cache/x.arrow')).toThrow(
      /^cache\/x\.arrow is (damaged|not an Arrow file)/,
    );
});

test.each(FILES)(
  '%s with any byte flipped is read or explained, never answered with Arrow’s own words',
  (kind, bytes) => {
    for (let at = 0; at < bytes.byteLength; at++)
      for (const flip of [0x01, 0x80, 0xff]) {
        const broken = bytes.slice();
        broken[at] = (broken[at] ?? 0) ^ flip;
        decodeOrExplain(kind, broken);
      }
  },
);

test('bytes of no kind at all are explained', () => {
  fc.assert(
    fc.property(fc.constantFrom(...FILES), fc.uint8Array({maxLength: 300}), ([kind], bytes) => {
      expect(decodeOrExplain(kind, bytes)).toBeUndefined();
    }),
  );
});

test('an artifact of another kind is named as what it is', () => {
  expect(() => decodeArtifact('mask', encodeArtifact({kind: 'weights'}, someWeights), 'x.arrow')).toThrow(
    'x.arrow holds weights, where mask was expected.',
  );
});

test('an Arrow file of somebody else is said to be no artifact', () => {
  const foreign = tableToIPC(tableFromArrays({loss: Float64Array.of(1)}), 'file');
  expect(() => decodeArtifact('points', foreign, 'x.arrow')).toThrow(
    'x.arrow is an Arrow file, but no artifact of basin',
  );
});

test('an Arrow stream is no Arrow file', () => {
  expect(() =>
    decodeArtifact('points', tableToIPC(tableFromArrays({loss: Float64Array.of(1)}), 'stream'), 'x.arrow'),
  ).toThrow('x.arrow is not an Arrow file.');
});
