import type {Faults} from '../spec/faults.ts';
import {variablesOf} from '../spec/template.ts';
import {type Place, pendingIn} from '../spec/tree.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {CheckedNode} from './check-node.ts';

/** A parameter that decides what a node gives, so that it must be the same at every point. */
export interface FixedParameter {
  readonly name: string;
  readonly artifact: string;
  readonly decides: 'artifact' | 'columns';
}

const NONE: readonly FixedParameter[] = [];
const known = new WeakMap<Stage, readonly FixedParameter[]>();

/** Those of a stage as it is declared. */
export function fixedParameters(stage: Stage): readonly FixedParameter[] {
  const found = known.get(stage);
  if (found) return found;
  const fixed = Object.entries(stage.outputs).flatMap(([artifact, {when, named}]): readonly FixedParameter[] => [
    ...(when === undefined ? [] : [{name: when, artifact, decides: 'artifact'} as const]),
    ...(named === undefined ? [] : [{name: named, artifact, decides: 'columns'} as const]),
  ]);
  const result = fixed.length === 0 ? NONE : fixed;
  known.set(stage, result);
  return result;
}

/**
 * Reports fixed parameters that axes or rows give: claims, plots and what takes from the node are held to one set of artifacts
 * and columns. `axes` are all of the node's. Whether there are any.
 */
export function reportVarying({spec, fixed}: CheckedNode, axes: readonly string[], faults: Faults): boolean {
  let varies = false;
  for (const {name, artifact, decides} of fixed) {
    const of = `"${spec.name}.${artifact}"`;
    const what = decides === 'artifact' ? `whether there is ${of}` : `which columns ${of} has`;
    const report = (at: Place, hint: string): void => {
      varies = true;
      faults.add('bad-parameter', at, `"${name}" decides ${what}, so it cannot change from point to point.`, hint);
    };
    const given = spec.with.get(name);
    const cells = spec.sweep.include.flatMap((row) => row.cells.get(name) ?? []);
    const own = spec.sweep.groups.flat().find((axis) => axis.name === name) ?? cells[0];
    if (axes.includes(name)) {
      // an axis of the node's own that "with" gives too is told of as one that changes nothing
      if (given) continue;
      if (own) report(own.keyAt, `Give it under "with"; ${APART}`);
      else
        report(spec.withAt ?? spec.at, `Its value is that of an axis of an input: give "${name}" under "with" here.`);
      continue;
    }
    for (const {keyAt} of cells) report(keyAt, `Give it under "with"; ${APART}`);
    for (const {template, at} of given?.value ? pendingIn(given.value) : []) {
      // a name that is nothing has a fault of its own
      const isKnown = (variable: string): boolean => spec.params.has(variable) || axes.includes(variable);
      if (variablesOf(template).every(isKnown)) report(at, `Use params only; ${APART}`);
    }
  }
  return varies;
}

const APART = 'for another value write another node.';
