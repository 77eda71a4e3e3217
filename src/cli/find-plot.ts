import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Plot} from '../graph/graph.ts';
import {commandFault} from './faults.ts';

const PREFIX = 'plots.';

/** How a plot is named on the command line. */
export const plotName = ({name}: Plot): string => `${PREFIX}${name}`;

/** Whether a name is meant for a plot: where there is none of it, nodes of a file `plots.yaml` that is used have such names too. */
export function namesPlot({plots, nodes}: Graph, name: string): boolean {
  if (plots.some((plot) => plotName(plot) === name)) return true;
  const isNode = nodes.some((node) => `${node.name}.`.startsWith(PREFIX));
  return `${name}.` === PREFIX ? plots.length > 0 || !isNode : name.startsWith(PREFIX) && !isNode;
}

/** The plot of a name that is meant to be one. */
export function findPlot({plots, source}: Graph, name: string): Result<Plot> {
  const found = plots.find((plot) => plotName(plot) === name);
  if (found) return ok(found);
  if (`${name}.` === PREFIX) {
    const hint =
      plots.length === 0 ? `There are none in ${source.name}.` : `They are: ${plots.map(plotName).join(', ')}.`;
    return fail([commandFault(`"${name}" names no plot.`, hint)]);
  }
  const wrong = name.slice(PREFIX.length);
  const names = plots.map((plot) => plot.name);
  const message = `There is no plot "${wrong}" in ${source.name}.`;
  return fail([commandFault(message, suggestion(wrong, names, 'plots'))]);
}
