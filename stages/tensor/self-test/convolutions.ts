import type {Tensor} from '@tensorflow/tfjs';
import {channelsLast, convolve} from '../../lib/models/convolution.ts';
import {batchNorm} from '../fused/batch-norm.ts';
import {groupNorm} from '../fused/group-norm.ts';
import {type Case, values, withGradients} from './case.ts';

const PICTURES = [2, 7, 6, 4] as const;
const pictures = (x: Tensor) => x.as4D(...PICTURES);

/** A convolution of pictures by a filter of some side, in value and gradients. */
const convolution = (name: string, side: number, stride: 1 | 2): Case => ({
  name,
  compute: (tf) =>
    withGradients(tf, (x, w) => convolve(tf, pictures(x), w.as4D(5, 4, side, side), stride), [
      values(tf, PICTURES),
      values(tf, [5, 4, side, side], 2),
    ]),
});

/** What residual networks are made of, each in value and gradients. */
export const convolutionCases: readonly Case[] = [
  convolution('convolution', 3, 1),
  convolution('convolution with stride 2', 3, 2),
  convolution('convolution of single pixels with stride 2', 1, 2),
  {
    name: 'group normalisation',
    compute: (tf) =>
      withGradients(
        tf,
        (x, gain, shift) =>
          groupNorm(tf, pictures(x), {
            ...{groups: 2, gain, shift, epsilon: 1e-5},
            ...{residual: pictures(x), rectify: true},
          }),
        [values(tf, PICTURES), values(tf, [4], 2), values(tf, [4], 3)],
      ),
  },
  {
    name: 'batch normalisation',
    compute: (tf) =>
      withGradients(
        tf,
        (x, gain, shift) =>
          batchNorm(tf, pictures(x), {
            ...{gain, shift, epsilon: 1e-5},
            ...{residual: pictures(x), rectify: true},
          }).pictures,
        [values(tf, PICTURES), values(tf, [4], 2), values(tf, [4], 3)],
      ),
  },
  {
    name: 'mean over pictures',
    compute: (tf) =>
      withGradients(tf, (x) => tf.mean(channelsLast(tf, tf.relu(pictures(x))), [1, 2]), [values(tf, PICTURES)]),
  },
];
