import barrier from '../../stages/barrier.ts';
import evaluate from '../../stages/evaluate.ts';
import finetune from '../../stages/finetune.ts';
import gradualPrune from '../../stages/gradual-prune.ts';
import imp from '../../stages/imp.ts';
import interpolate from '../../stages/interpolate.ts';
import magnitudePrune from '../../stages/magnitude-prune.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import pretrainLoad from '../../stages/pretrain-load.ts';
import randomMask from '../../stages/random-mask.ts';
import randomReinit from '../../stages/random-reinit.ts';
import select from '../../stages/select.ts';
import summarize from '../../stages/summarize.ts';
import type {Registry} from '../stage/define-stage.ts';

const STAGES = [
  pretrainLoad,
  finetune,
  interpolate,
  barrier,
  platonPrune,
  gradualPrune,
  imp,
  magnitudePrune,
  maskRetrain,
  randomMask,
  randomReinit,
  evaluate,
  select,
  summarize,
];

/** The one list of built-in stages. */
export const registry: Registry = new Map(STAGES.map((stage) => [stage.name, stage]));
