import {nearestName, suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {Spec, ViewSpec} from '../spec/spec.ts';
import {describeTree, type Place} from '../spec/tree.ts';
import {placeWithin} from '../spec/written-place.ts';
import type {Plot} from './graph.ts';
import {expressionsIn, type PlottedExpression} from './plot-fields.ts';
import type {Misfit} from './vega-lite-schema.ts';

/** A hint where nothing better can be said. */
export const VEGA_LITE_REFERENCE = 'What Vega-Lite takes stands at vega.github.io/vega-lite/docs.';
const MOST_CHOICES = 12;
/** More than anyone looks at in one picture; lists of `repeat` multiply, and the compiler makes every view. */
const MOST_VIEWS = 500;

/** As many expressions of a file are looked at one by one: each takes the compiler a millisecond or two. */
const MOST_EXPRESSIONS = 100;

/**
 * Holds plots to Vega-Lite: to its schema, which says where a fault is, and then to its compiler, which also reads expressions. Nothing is
 * drawn. Both are loaded only for a pipeline with plots.
 */
export async function checkSpecifications({plots: specs}: Spec, plots: readonly Plot[], faults: Faults): Promise<void> {
  if (specs.length === 0) return;
  const {VegaLiteSchema} = await import('./vega-lite-schema.ts');
  const schema = new VegaLiteSchema();
  const fitting = new Set<string>();
  for (const {name, view} of specs) {
    const misfits = schema.misfits(view.map);
    for (const misfit of misfits) report(misfit, faults);
    const views = viewsOf(view);
    if (views > MOST_VIEWS) {
      const message = `The plot "${name.name}" has ${views} views, and the most is ${MOST_VIEWS}.`;
      faults.add('too-large', name.at, message, 'Make several plots of it.');
    } else if (misfits.length === 0) fitting.add(name.name);
  }
  let looks = MOST_EXPRESSIONS;
  const {compilePlot, expressionFault} = await import('./compile-plot.ts');
  for (const plot of plots) {
    const spec = specs.find(({name}) => name.name === plot.name);
    const compiled = fitting.has(plot.name) ? compilePlot(plot, () => []) : undefined;
    if (compiled?.ok !== false) continue;
    const refused = (at: Place | undefined, error: string): void =>
      faults.add('bad-plot', at, `Vega-Lite refuses the plot "${plot.name}": ${sentence(error)}`, VEGA_LITE_REFERENCE);
    // The compiler says nothing of where in a plot it was.
    const expressions = spec ? expressionsIn(spec.view.map).slice(0, looks) : [];
    looks -= expressions.length;
    const wrong = expressions.flatMap((expression) => {
      const fault = expressionFault(expression.text);
      return fault ? [{expression, ...fault}] : [];
    });
    if (wrong.length === 0) refused(spec?.name.at, compiled.error);
    for (const {expression, message, index} of wrong) refused(placeOf(expression, index), message);
  }
}

const placeOf = ({text, at, isComputed}: PlottedExpression, index: number | undefined): Place =>
  index === undefined || isComputed ? at : placeWithin(at, text, {start: index, end: index + 1});

/** How many views Vega-Lite makes of one: those it holds, each as often as `repeat` says. */
function viewsOf({map, views}: ViewSpec): number {
  const repeat = map.entries.get('repeat')?.value;
  const lists = repeat?.kind === 'map' ? [...repeat.entries.values()].map(({value}) => value) : repeat ? [repeat] : [];
  const times = lists.reduce((product, list) => product * (list.kind === 'list' ? list.items.length : 1), 1);
  return (
    times *
    Math.max(
      1,
      views.reduce((sum, view) => sum + viewsOf(view), 0),
    )
  );
}

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

function report(misfit: Misfit, faults: Faults): void {
  const {at} = misfit;
  switch (misfit.what) {
    case 'unknown': {
      const message = `Vega-Lite knows no "${misfit.name}" here.`;
      faults.add('bad-plot', at, message, suggestion(misfit.name, misfit.names, 'keys here'));
      return;
    }
    case 'missing':
      faults.add('bad-plot', at, `Vega-Lite needs "${misfit.name}" here.`, VEGA_LITE_REFERENCE);
      return;
    case 'value': {
      const {given, choices, types} = misfit;
      const text = given.kind === 'scalar' && typeof given.value === 'string' ? given.value : undefined;
      const isNull = given.kind === 'scalar' && given.value === null;
      const shown = isNull ? 'null' : text === undefined ? describeTree(given) : JSON.stringify(text);
      const near = text === undefined ? undefined : nearestName(text, choices);
      const right = [...choices.slice(0, MOST_CHOICES), ...(choices.length > MOST_CHOICES ? ['…'] : []), ...types];
      const hint = near === undefined ? `It may be: ${right.join(', ')}.` : `Did you mean "${near}"?`;
      faults.add(
        'bad-plot',
        at,
        `Vega-Lite does not take ${shown} here.`,
        right.length === 0 ? VEGA_LITE_REFERENCE : hint,
      );
    }
  }
}
