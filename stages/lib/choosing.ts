import {isJsonObject} from '../../src/base/json.ts';
import {suggestion} from '../../src/base/nearest.ts';
import type {Above, Giver, ParameterProblem, Upstream} from '../../src/stage/define-stage.ts';

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
  const lacking = (inputs.scores ?? []).map(splitsOf).find((splits) => splits?.includes(split) === false);
  if (!lacking) return undefined;
  return {
    parameter: 'split',
    message: `No score is of the split ${split}.`,
    hint:
      split === 'validation'
        ? 'Score on a validation split (data: {validation: {n: 5000}}; of evaluate also split: validation). Where none can be had, write `split: test`.'
        : suggestion(split, lacking, 'splits of the scores'),
  };
}

/** The splits of which a table can have rows. Known of basin's own stages only: another may make a validation split in its own way. */
function splitsOf(giver: Giver): readonly string[] | undefined {
  const {stage, params, columns} = giver;
  if (stage.origin.from !== 'registry' || columns.split === undefined) return undefined;
  if (isJsonObject(params.data)) {
    if (typeof params.split === 'string') return [params.split];
    return hasValidation(giver) ? ['train', 'validation', 'test'] : ['train', 'test'];
  }
  // without data of its own it keeps the splits of what it takes
  const [first, ...others] = Object.values(giver.inputs).flat().map(splitsOf);
  return others.reduce((common, splits) => common && splits?.filter((split) => common.includes(split)), first);
}
