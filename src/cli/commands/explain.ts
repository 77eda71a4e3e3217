import type {Json} from '../../base/json.ts';
import {type Explanation, explainInstance} from '../../plan/explain.ts';
import {reasonText} from '../../plan/reason-text.ts';
import type {Change} from '../../plan/verdict.ts';
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
      for (const {id} of instances) {
        const explanation = explainInstance(graph, plan, store, id);
        if (!explanation) throw new Error(`Internal error: ${id} is not in its own plan`);
        const shown = options.json ? JSON.stringify(explanationJson(explanation)) : explanationText(explanation);
        process.stdout.write(`${shown}\n`);
      }
      return EXIT.done;
    },
  );

/**
 * The contract: for a cached instance, `changes` is empty and `lastChanges` says what made it run the last time. A field that
 * is not there is null, because a key without a value would vanish from JSON.
 */
const explanationJson = ({instance, verdict, changes, lastChanges}: Explanation) => {
  const json = (list: readonly Change[]) => list.map(({path, before = null, after = null}) => ({path, before, after}));
  return {instance, verdict, changes: json(changes), lastChanges: json(lastChanges)};
};

function explanationText({instance, verdict, reason, changes, lastChanges}: Explanation): string {
  const head = verdict === 'cached' ? `${instance}: cached` : `${instance}: ${verdict}, ${reasonText(reason)}`;
  const last = lastChanges.length > 0 ? ['  What made it run the last time:', ...lastChanges.map(changeLine)] : [];
  return [head, ...changes.map(changeLine), ...last].join('\n');
}

const changeLine = ({path, before, after}: Change): string => `  ${path}: ${valueText(before)} → ${valueText(after)}`;
const valueText = (value: Json | undefined): string => (value === undefined ? '(absent)' : JSON.stringify(value));
