import {isJsonObject} from '../../src/base/json.ts';
import type {Above, ParameterProblem, Upstream} from '../../src/stage/define-stage.ts';

/** Whether something trains or measures on a data set of which a validation split is kept apart. */
const hasValidation = ({params: {data}}: Above): boolean => isJsonObject(data) && data.validation !== undefined;

/** What is wrong with choosing by a split. A test split that decided something tells nothing any more. */
export function choosingProblem(split: string, {inputs, all}: Upstream): ParameterProblem | undefined {
  if (split === 'test' && all.some(hasValidation))
    return {
      parameter: 'split',
      message: 'Choosing by the split test is refused, since what is chosen from has a validation split.',
      hint: 'Write `split: validation`, with `data: {validation: …}` where the scores are made too.',
    };
  if (split !== 'validation' || !(inputs.scores ?? []).some(neverOnValidation)) return undefined;
  return {
    parameter: 'split',
    message: 'No score is of the split validation.',
    hint: 'Score on a validation split (data: {validation: {n: 5000}}; of evaluate also split: validation). Where none can be had, write `split: test`.',
  };
}

/** Of basin's own stages only: another may make a validation split in its own way. */
function neverOnValidation(source: Upstream['inputs'][string][number]): boolean {
  const {stage, params, columns} = source;
  if (stage.origin.from !== 'registry' || columns.split === undefined || !isJsonObject(params.data)) return false;
  return typeof params.split === 'string' ? params.split !== 'validation' : !hasValidation(source);
}
