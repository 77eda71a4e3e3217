import type {Tensor1D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';
import {movementScorer} from './movement-scorer.ts';
import {platonScorer} from './platon-scorer.ts';
import {randomScores} from './random-scores.ts';
import type {Score} from './score.ts';
import type {Scorer} from './scorer.ts';

/** The scorer of a choice; it may hold tensors until it is disposed of. */
export function chooseScorer(tf: Tf, layout: ParameterLayout, interval: number, score: Score): Scorer {
  switch (score.name) {
    case 'platon':
      return platonScorer(tf, layout.prunable, {...score, interval});
    case 'magnitude':
      return {
        firstStep: 1,
        everyStep: score.rescore === 'step',
        scores: (flat) => read(tf.abs(flat.slice(0, layout.prunable))),
      };
    case 'movement':
      return movementScorer(tf, layout.prunable);
    case 'random': {
      const scores = randomScores(layout, score.seed);
      return {firstStep: 1, scores: () => scores};
    }
  }
}

function read(scores: Tensor1D): Float32Array {
  const values = scores.dataSync<'float32'>();
  scores.dispose();
  return values;
}
