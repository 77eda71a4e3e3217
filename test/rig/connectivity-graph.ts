import type {Graph} from '../../src/graph/graph.ts';
import {declaredStage, graphOf, type InstanceSketch} from './hand-made-graph.ts';

const weights = {kind: 'weights', doc: ''} as const;
const load = declaredStage('pretrain-load');
const finetune = declaredStage('finetune', {computes: 'tensors', inputs: {weights}});
const interpolate = declaredStage('interpolate', {
  computes: 'tensors',
  inputs: {a: weights, b: weights},
  outputs: {points: {kind: 'points', doc: ''}},
});
const barrier = declaredStage('barrier', {
  inputs: {points: {kind: 'points', doc: '', many: {over: ['alpha']}}},
  outputs: {summary: {kind: 'summary', doc: ''}},
});

/** load → A, B → points over alpha → barrier: the shape of a connectivity study. */
export function connectivityGraph(
  options: {
    readonly seedB?: number;
    readonly lr?: number;
    readonly alphas?: readonly number[];
    readonly barrier?: string;
  } = {},
): Graph {
  const {seedB = 2, lr = 0.0005, alphas = [0, 0.5, 1], barrier: definition = 'linear'} = options;
  const sketches: InstanceSketch[] = [
    {id: 'load', stage: load, params: {source: 'random', seed: 0}},
    {id: 'A', stage: finetune, params: {lr: 0.0005, seed: 1}, inputs: {weights: 'load.weights'}},
    {id: 'B', stage: finetune, params: {lr, seed: seedB}, inputs: {weights: 'load.weights'}},
    ...alphas.map((alpha) => ({
      id: `interpolate[alpha=${alpha}]`,
      stage: interpolate,
      params: {alpha},
      inputs: {a: 'A.weights', b: 'B.weights'},
    })),
    {
      id: 'barrier',
      stage: barrier,
      params: {definition},
      inputs: {points: alphas.map((alpha) => [{alpha}, `interpolate[alpha=${alpha}].points`] as const)},
    },
  ];
  return graphOf(sketches);
}
