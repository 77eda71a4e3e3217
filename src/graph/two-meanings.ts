import {unknownVariable} from '../spec/expression.ts';
import type {Faults} from '../spec/faults.ts';
import type {NodeSpec} from '../spec/spec.ts';
import {parseTemplate} from '../spec/template.ts';
import {type Tree, textsIn} from '../spec/tree.ts';
import {placeWithin} from '../spec/written-place.ts';
import type {Part} from './node-axes.ts';

/**
 * Expressions in which a name is a param of the file and an axis that comes with an input: params were put in place before axes were
 * known. What names neither may follow such an axis, since the axes of a file that is used are not chosen by who uses it.
 *
 * @param axes All axes of the node: a cell of a row that is one of these can hold no axis.
 */
export function refuseTwoMeanings(
  {params, with: given, sweep}: NodeSpec,
  inputs: readonly Part[],
  axes: readonly string[],
  faults: Faults,
): void {
  const shadowing = new Set(inputs.flatMap(({relation}) => relation.axes.filter((axis) => params.has(axis))));
  if (shadowing.size === 0) return;
  const cells = sweep.include.flatMap(({written}) => [...written.values()].filter(({name}) => !axes.includes(name)));
  const trees = [...[...given.values()].map(({written}) => written), ...cells.map(({value}) => value)];
  for (const axis of shadowing) {
    const from = inputs.filter(({relation}) => relation.axes.includes(axis)).map(({name}) => name);
    for (const tree of trees) refuseIn(tree, axis, from, faults);
  }
}

function refuseIn(tree: Tree, axis: string, inputs: readonly string[], faults: Faults): void {
  const message = `"${axis}" is a param, and an axis that comes with ${inputs.join(' and ')}, so "\${${axis}}" has two meanings.`;
  const hint = `Rename the axis with {from: NODE.ARTIFACT, as: {${axis}: NEW_NAME}}, or the param.`;
  for (const {text, at} of textsIn(tree)) {
    const template = parseTemplate(text);
    for (const part of (template.ok && template.value?.parts) || []) {
      if (typeof part === 'string' || !part.expression.variables.includes(axis)) continue;
      const {start, end} = unknownVariable(part.expression.text, axis, []).span;
      const span = {start: part.offset + start, end: part.offset + end};
      faults.add('axis-shadows-param', placeWithin(at, text, span), message, hint);
    }
  }
}
