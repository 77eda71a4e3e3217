import {BACKEND} from './basin.ts';

/** The quickstart's shape in milliseconds: an mlp with eight hidden units, three steps, a hundred pictures. */
export const STUDY = `name: small-study
params:
  alphas: [0, 0.50, 1]
  keeps: [0.2, 0.05]
  data: {name: mnist, limit: {train: 200, test: 100}}
stages:
  pretrain-load: {uses: pretrain-load, with: {source: random, seed: 1, model: {model: mlp, hidden: [8]}}}
  finetune-A: {uses: finetune, in: {weights: pretrain-load.weights}, with: {data: "\${data}", seed: 1, length: 3it, lr: 1.0e-3}}
  finetune-B: {uses: finetune, in: {weights: pretrain-load.weights}, with: {data: "\${data}", seed: 2, length: 3it, lr: 1.0e-3}}
  interpolate:
    uses: interpolate
    in: {a: finetune-A.weights, b: finetune-B.weights}
    with: {data: "\${data}", train: 100}
    sweep: {alpha: "\${alphas}"}
  barrier: {uses: barrier, in: {points: interpolate.points}}
  platon-prune:
    uses: platon-prune
    in: {weights: pretrain-load.weights}
    with: {data: "\${data}", length: 3it, lr: 1.0e-3, interval: 1, warmup: 0, final_warmup: 1}
    sweep: {keep: "\${keeps}"}
  mask-retrain: {uses: mask-retrain, in: {weights: pretrain-load.weights, mask: platon-prune.mask}, with: {data: "\${data}", length: 3it, lr: 1.0e-3}}
  random-mask: {uses: random-mask, in: {mask: platon-prune.mask}}
  random-mask-retrain: {uses: mask-retrain, in: {weights: pretrain-load.weights, mask: random-mask.mask}, with: {data: "\${data}", length: 3it, lr: 1.0e-3}}
expect:
  - {of: barrier.summary, where: "split == 'test'", that: "error_instability < 100.0"}
`;

/** Instances of the study. */
export const STUDY_SIZE = 15;

/** The same with one text replaced, which must be there. */
export function edited(before: string | RegExp, after: string, text = STUDY): string {
  const changed = text.replace(before, after);
  if (changed === text) throw new Error(`The study has no ${before}.`);
  return changed;
}

/** Stages that compute without tensors: a network, and nothing else to wait for. */
export const PLAIN = `name: plain
stages:
  start: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [4]}}}
  again: {uses: pretrain-load, in: {weights: start.weights}, with: {source: upstream, labels: 3}}
`;

export const ON_BACKEND = ['--backend', BACKEND] as const;
