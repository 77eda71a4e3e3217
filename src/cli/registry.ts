import barrier from '../../stages/barrier.ts';
import compareMasks from '../../stages/compare-masks.ts';
import evaluate from '../../stages/evaluate.ts';
import finetune from '../../stages/finetune.ts';
import instability from '../../stages/instability.ts';
import interpolate from '../../stages/interpolate.ts';
import layerwise from '../../stages/layerwise.ts';
import maskRetrain from '../../stages/mask-retrain.ts';
import platonPrune from '../../stages/platon-prune.ts';
import pretrainLoad from '../../stages/pretrain-load.ts';
import randomMask from '../../stages/random-mask.ts';
import select from '../../stages/select.ts';
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
  maskRetrain,
  randomMask,
  compareMasks,
  evaluate,
  select,
  summarize,
];

/** The one list of built-in stages. */
export const registry: Registry = new Map(STAGES.map((stage) => [stage.name, stage]));
