import type {Json} from '../../base/json.ts';
import {type Explanation, explainInstance} from '../../plan/explain.ts';
import {reasonText} from '../../plan/reason-text.ts';
import type {Change} from '../../plan/verdict.ts';
import {lastReasons} from '../../results/last-reasons.ts';
import {placeOf} from '../../store/pipeline-place.ts';
import {EXIT} from '../exit-code.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

export const explainCommand = (file: string, name: string, options: PipelineOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'plan',
    (graph) => findInstances(graph, name),
    async ({graph, plan, store}, instances) => {
      const cached = instances.flatMap(({id, index}) => {
        const {verdict, key} = plan.instances[index] ?? {};
        return verdict === 'cached' && key !== undefined ? [[id, key] as const] : [];
      });
      const reasons = await lastReasons(store.root, placeOf(store.root, graph), new Map(cached));
      for (const {id} of instances) {
        const explanation = explainInstance(graph, plan, store, id);
        if (!explanation) throw new Error(`Internal error: ${id} is not in its own plan`);
        const told = {...explanation, lastReason: reasons.get(id)};
        const shown = options.json ? JSON.stringify(explanationJson(told)) : explanationText(told);
        process.stdout.write(`${shown}\n`);
      }
      return EXIT.done;
    },
  );

interface Told extends Explanation {
  /** Why it last ran with the key that it has: the same work may be done again for other reasons than those that made its key another one. */
  readonly lastReason: string | undefined;
}

/**
 * The contract: for a cached instance, `changes` is empty, `lastReason` says why it last ran and `lastChanges` what was new when its key came
 * first. A field that is not there is null, because a key without a value would vanish from JSON.
 */
const explanationJson = ({instance, verdict, changes, lastReason, lastChanges}: Told) => {
  const json = (list: readonly Change[]) => list.map(({path, before = null, after = null}) => ({path, before, after}));
  return {instance, verdict, changes: json(changes), lastReason: lastReason ?? null, lastChanges: json(lastChanges)};
};

function explanationText({instance, verdict, reason, changes, lastReason, lastChanges}: Told): string {
  const head = verdict === 'cached' ? `${instance}: cached` : `${instance}: ${verdict}, ${reasonText(reason)}`;
  const why = lastReason === undefined ? [] : [`  Why it last ran: ${lastReason}`];
  const news =
    lastChanges.length > 0 ? ['  What was new when it first had this key:', ...lastChanges.map(changeLine)] : [];
  return [head, ...changes.map(changeLine), ...why, ...news].join('\n');
}

const changeLine = ({path, before, after}: Change): string => `  ${path}: ${valueText(before)} → ${valueText(after)}`;
const valueText = (value: Json | undefined): string => (value === undefined ? '(absent)' : JSON.stringify(value));
