import * as tf from '@tensorflow/tfjs';
import {expect, test} from 'vitest';
import {interpolateParameters} from '../../stages/interpolate.ts';
import {a, b, measure} from '../rig/golden-line.ts';
import {golden} from '../training/golden.ts';

test('the golden line has its loss and its error at every alpha', async () => {
  await tf.setBackend('cpu');
  const {alphas, loss, error_pct} = golden.lmc;
  const [from, to] = [tf.tensor1d(a), tf.tensor1d(b)];
  alphas.forEach((alpha, place) => {
    const found = measure(interpolateParameters(tf, from, to, alpha).dataSync<'float32'>());
    expect(Math.abs(found.loss - (loss[place] ?? Number.NaN)), `alpha ${alpha}`).toBeLessThan(1e-6);
    expect(found.error, `alpha ${alpha}`).toBe(error_pct[place]);
  });
});
