import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Plot} from '../graph/graph.ts';
import {commandFault} from './faults.ts';

const PREFIX = 'plots.';

/** How a plot is named on the command line. */
export const plotName = ({name}: Plot): string => `${PREFIX}${name}`;

/** Whether a name is meant for a plot: where there is none of it, nodes of a file `plots.yaml` that is used have such names too. */
export const namesPlot = ({plots, nodes}: Graph, name: string): boolean =>
  name.startsWith(PREFIX) &&
  (plots.some((plot) => plotName(plot) === name) || !nodes.some((node) => `${node.name}.`.startsWith(PREFIX)));

/** The plot of a name that is meant to be one. */
export function findPlot({plots, source}: Graph, name: string): Result<Plot> {
  const found = plots.find((plot) => plotName(plot) === name);
  if (found) return ok(found);
  const wrong = name.slice(PREFIX.length);
  const names = plots.map((plot) => plot.name);
  const message = `There is no plot "${wrong}" in ${source.name}.`;
  return fail([commandFault(message, suggestion(wrong, names, 'plots'))]);
}
