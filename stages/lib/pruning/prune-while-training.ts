import type {Weights} from '../../../src/artifact/kinds.ts';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import type {TrainingParameters} from '../training/parameters.ts';
import {bindTask, weightsOf} from '../training/task.ts';
import {train, trainingLength} from '../training/train.ts';
import {chooseScorer} from './choose-scorer.ts';
import {gradual} from './gradual.ts';
import {scheduleOf} from './gradual-parameters.ts';
import {bitsOf, keptFractions, maskOf} from './masks.ts';
import {describePrunable, type Prunable} from './prunable.ts';
import type {Score} from './score.ts';
import type {SelectionMethod} from './selection.ts';

type Pruning = TrainingParameters & {
  readonly keep: number;
  readonly interval: number;
  readonly warmup?: string | undefined;
  readonly final_warmup?: string | undefined;
  readonly method: SelectionMethod;
  readonly prunable?: Prunable;
};

/** Trains a network while weights of low score are removed on the cubic schedule; all that the stages which do so give. */
export async function pruneWhileTraining(weights: Weights, params: Pruning, score: Score, services: StageServices) {
  const task = await bindTask(weights, params, services);
  const {layout} = task;
  services.log(describePrunable(layout));
  const schedule = scheduleOf(params, trainingLength(task, params));
  const scorer = chooseScorer(services.tf, layout, params.interval, score);
  const hook = gradual(services.tf, layout, {schedule, method: params.method, scorer});
  try {
    const {flat, metrics, evals, final} = await train(task, params, services, hook);
    const bits = hook.selection()?.bits;
    if (!bits) throw new Error('Internal error: gradual pruning ended without a mask');
    const mask = maskOf(layout, bits);
    const kept = keptFractions(layout, bitsOf(layout, mask));
    const summary = final.map((row) => ({...row, ...kept}));
    const rounds = new Map(hook.rounds().map((round) => [round.step, round]));
    const traces = metrics.flatMap((row) => {
      const round = rounds.get(Number(row.step));
      return round ? [{...row, ...round, kept: round.kept / layout.prunable}] : [];
    });
    return {weights: weightsOf(task, flat), mask, metrics, evals, summary, traces, prunable: layout.prunable};
  } finally {
    hook.dispose();
  }
}
