import type {Cell, ColumnType} from '../../src/artifact/kinds.ts';
import {suggestion} from '../../src/base/nearest.ts';
import type {Giver, ParameterProblem, Upstream} from '../../src/stage/define-stage.ts';
import {columnsAhead, unknownNames} from './columns-ahead.ts';
import {type Choice, candidateOf} from './scores.ts';
import {pointsList, shownAt} from './shown-at.ts';

/** What can be known before anything runs of columns that are not there, and of candidates with no score or with several. */
export function scoresProblems({by, where}: Choice, {inputs}: Upstream): readonly ParameterProblem[] {
  const {scores = [], weights, mask} = inputs;
  const columns = columnsAhead(scores, true);
  const names = Object.keys(where).map((name) => ({parameter: 'where', path: [name], isName: true, name}) as const);
  const problems = [
    ...unknownNames(
      [{parameter: 'by', name: by}],
      columns.numbers,
      'columns with numbers',
      (name) => `The scores have no numbers "${name}".`,
    ),
    ...unknownNames(names, columns.all, 'columns', (name) => `The scores have no column "${name}".`),
  ];
  if (problems.length > 0) return problems;
  const [score] = scores;
  const candidates = weights ?? mask ?? [];
  const values = score ? Object.entries(where).flatMap(([name, value]) => valueProblem(score, name, value) ?? []) : [];
  if (values.length > 0 || !score) return values;
  return [severalProblem(score, where) ?? pointsProblem(scores, candidates, where) ?? []].flat();
}

const HOLDS: Readonly<Record<ColumnType, 'string' | 'number' | 'boolean'>> = {
  utf8: 'string',
  float64: 'number',
  int32: 'number',
  bool: 'boolean',
};

/** What no cell of a column can be. */
function valueProblem(giver: Giver, name: string, value: Cell): ParameterProblem | undefined {
  const at = {parameter: 'where', path: [name]};
  const type = Object.hasOwn(giver.columns, name) ? giver.columns[name] : undefined;
  if (type === undefined) return undefined;
  if (typeof value !== HOLDS[type]) {
    const words = {string: 'text', number: 'numbers', boolean: 'true or false'}[HOLDS[type]];
    const hint = type === 'utf8' ? `Write ${JSON.stringify(String(value))}, in quotes.` : `Give one of ${words}.`;
    return {
      ...at,
      message: `The column "${name}" of the scores holds ${words}, which ${JSON.stringify(value)} is not.`,
      hint,
    };
  }
  const summarized = summarizedColumns(giver);
  if (name !== 'column' || summarized.length === 0 || summarized.includes(String(value))) return undefined;
  return {
    ...at,
    message: `No score has ${name}=${JSON.stringify(value)}.`,
    hint: suggestion(String(value), summarized, `values of "${name}"`),
  };
}

/** The columns of which `summarize` has a row each. */
function summarizedColumns({stage, params}: Giver): readonly string[] {
  if (stage.name !== 'summarize' || stage.origin.from !== 'registry' || !Array.isArray(params.columns)) return [];
  return params.columns.filter((name) => typeof name === 'string');
}

/** The columns that tell rows of one split apart, with their values as far as these are known. */
export function apartOf(giver: Giver): readonly {readonly name: string; readonly values: readonly string[]}[] {
  const own = giver.apart.map((name) => ({name, values: []}));
  const summarized = summarizedColumns(giver);
  if (summarized.length === 0) return own;
  const by = Array.isArray(giver.params.by) ? giver.params.by : [];
  const kept = Object.values(giver.inputs)
    .flatMap(([first]) => (first ? apartOf(first) : []))
    .filter(({name}) => by.includes(name));
  return [...own, ...kept, ...(new Set(summarized).size > 1 ? [{name: 'column', values: summarized}] : [])];
}

function severalProblem(giver: Giver, where: Choice['where']): ParameterProblem | undefined {
  const left = apartOf(giver).filter(({name}) => !Object.hasOwn(where, name));
  const [first] = left;
  if (!first) return undefined;
  const shown = left.map(
    ({name, values}) =>
      `"${name}"${values.length > 0 ? ` (${values.map((value) => JSON.stringify(value)).join(', ')})` : ''}`,
  );
  return {
    parameter: 'where',
    message: `There are several scores of each candidate, which differ in ${shown.join(' and ')}, and one is compared.`,
    hint: `Pick one with \`where: {${left.map(({name, values}) => `${name}: ${values.length > 0 ? JSON.stringify(values[0]) : '…'}`).join(', ')}}\`.`,
  };
}

/** Whether each candidate stands at one of the points of the scores. */
function pointsProblem(
  scores: readonly Giver[],
  candidates: readonly Giver[],
  where: Choice['where'],
): ParameterProblem | undefined {
  const axes = Object.keys(candidates[0]?.axes ?? {});
  const own = Object.keys(scores[0]?.axes ?? {});
  if (axes.length === 0) return undefined;
  const isPicked = ({axes: at}: Giver): boolean =>
    own.every((axis) => !Object.hasOwn(where, axis) || at[axis] === where[axis]);
  const points = Map.groupBy(scores.filter(isPicked), ({axes: at}) => candidateOf(at, axes));
  const lacking = candidates.filter(({axes: at}) => !points.has(candidateOf(at, axes)));
  if (lacking.length > 0) {
    const hint = axes.every((axis) => own.includes(axis))
      ? 'Score every candidate, or take the point out of the sweep.'
      : 'Gather both over the same axes: {from: …, over: […]}.';
    return {parameter: 'scores', message: `No score is at ${pointsList(lacking.map(({axes: at}) => at))}.`, hint};
  }
  const [several] = [...points.values()].filter((group) => group.length > 1);
  if (!several?.[0]) return undefined;
  const more = own.filter((axis) => !axes.includes(axis) && !Object.hasOwn(where, axis));
  return {
    parameter: 'where',
    message: `At ${shownAt(Object.fromEntries(axes.map((axis) => [axis, several[0]?.axes[axis] ?? null])))} there are ${several.length} scores, along ${more.map((axis) => `"${axis}"`).join(' and ')}, and one of each candidate is compared.`,
    hint: `Take their mean with summarize, or pick one with \`where: {${more[0]}: …}\`.`,
  };
}
