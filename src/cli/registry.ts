import barrier from '../../stages/barrier.ts';
import compareMasks from '../../stages/compare-masks.ts';
import evaluate from '../../stages/evaluate.ts';
import exportFiles from '../../stages/export.ts';
import finetune from '../../stages/finetune.ts';
import gradualPrune from '../../stages/gradual-prune.ts';
import imp from '../../stages/imp.ts';
import instability from '../../stages/instability.ts';
import interpolate from '../../stages/interpolate.ts';
import layerwise from '../../stages/layerwise.ts';
import magnitudePrune from '../../stages/magnitude-prune.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import mergeDare from '../../stages/merge-dare.ts';
import mergeGreedySoup from '../../stages/merge-greedy-soup.ts';
import mergeLinear from '../../stages/merge-linear.ts';
import mergeModelStock from '../../stages/merge-model-stock.ts';
import mergeSlerp from '../../stages/merge-slerp.ts';
import mergeTaskArithmetic from '../../stages/merge-task-arithmetic.ts';
import mergeTies from '../../stages/merge-ties.ts';
import platonPrune from '../../stages/platon-prune.ts';
import pretrainLoad from '../../stages/pretrain-load.ts';
import randomMask from '../../stages/random-mask.ts';
import randomReinit from '../../stages/random-reinit.ts';
import select from '../../stages/select.ts';
import structuredPrune from '../../stages/structured-prune.ts';
import summarize from '../../stages/summarize.ts';
import type {Registry} from '../stage/define-stage.ts';

const STAGES = [
  pretrainLoad,
  finetune,
  interpolate,
  barrier,
  instability,
  layerwise,
  platonPrune,
  gradualPrune,
  imp,
  magnitudePrune,
  maskRetrain,
  randomMask,
  compareMasks,
  randomReinit,
  structuredPrune,
  evaluate,
  select,
  summarize,
  exportFiles,
  mergeLinear,
  mergeSlerp,
  mergeGreedySoup,
  mergeTaskArithmetic,
  mergeTies,
  mergeDare,
  mergeModelStock,
];

/** The one list of built-in stages. */
export const registry: Registry = new Map(STAGES.map((stage) => [stage.name, stage]));
