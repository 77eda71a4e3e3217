import type {Tensor1D} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {test} from 'vitest';
import {stepScalars} from '../../stages/lib/training/adamw.ts';
import {adamw, adamwDefinition} from '../../stages/tensor/fused/adamw.ts';
import {windowMean, windowMeanDefinition} from '../../stages/tensor/fused/window-mean.ts';
import {expectLike, nativeOperations, noise} from './against-definition.ts';

const tf = await nativeOperations();

const vector = (size: number, seed: number): Tensor1D => {
  if (!tf) throw new Error('no native back end');
  return noise(tf, [size], seed).as1D();
};

const onHost = (tensors: readonly Tensor1D[]) => tensors.map((tensor) => tensor.dataSync<'float32'>());

/** Vectors that end within a task's block and behind one. */
const size = fc.oneof(fc.integer({min: 1, max: 100}), fc.constantFrom(16_384, 40_001));

test.runIf(tf)('AdamW in one pass equals its definition, clipped or not, with every kind of decay', () => {
  if (!tf) return;
  const settings = fc.record({
    size,
    seed: fc.nat(999),
    step: fc.integer({min: 1, max: 1000}),
    clip: fc.constantFrom(null, 0.5, 1e6),
    some: fc.boolean(),
  });
  fc.assert(
    fc.property(settings, ({size: length, seed, step, clip, some}) => {
      tf.tidy(() => {
        const state = {
          flat: vector(length, seed),
          m: vector(length, seed + 1),
          v: tf.square<Tensor1D>(vector(length, seed + 2)),
        };
        const update = {
          gradient: vector(length, seed + 3),
          clip,
          scalars: stepScalars(tf, step, 1e-3, 0.1),
          decays: some ? tf.cast(tf.greater(vector(length, seed + 4), 0), 'float32').as1D() : undefined,
        };
        const [is, should] = [adamw, adamwDefinition].map((operation) => {
          const {flat, m, v, gradient} = operation(tf, state, update);
          return onHost([flat, m, v, gradient]);
        });
        expectLike(is ?? [], should ?? [], 1e-6);
      });
    }),
    {numRuns: 20, seed: 1},
  );
});

test.runIf(tf)('the mean of PLATON’s window in one pass equals its definition, at its start and inside it', () => {
  if (!tf) return;
  const settings = fc.record({size, rest: fc.nat(20), seed: fc.nat(999), place: fc.constantFrom(0, 1, 9)});
  fc.assert(
    fc.property(settings, ({size: prunable, rest, seed, place}) => {
      tf.tidy(() => {
        const step = {
          window: tf.abs<Tensor1D>(vector(prunable, seed)),
          weights: vector(prunable + rest, seed + 1),
          gradient: vector(prunable + rest, seed + 2),
          place: tf.scalar(place),
        };
        expectLike(onHost([windowMean(tf, step)]), onHost([windowMeanDefinition(tf, step)]), 1e-6);
      });
    }),
    {numRuns: 20, seed: 1},
  );
});
