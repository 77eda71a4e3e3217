import {declaredColumns} from '../artifact/kinds.ts';
import type {JsonObject} from '../base/json.ts';
import type {Faults} from '../spec/faults.ts';
import {innermost, type Place} from '../spec/tree.ts';
import type {Above, Giver, Givers, ParameterProblem, Upstream} from '../stage/define-stage.ts';
import type {CheckedNode} from './check-node.ts';
import type {Binding, Instance} from './graph.ts';

const NO_AXES: JsonObject = {};

const membersOf = (
  binding: Binding,
): readonly {readonly axes?: JsonObject; readonly from: number; readonly artifact: string}[] =>
  binding.many ? binding.members : [binding];

/** Asks the stages that want to know what lies above them; what they refuse is a fault of the parameter. */
export function checkUpstream(
  instances: readonly Instance[],
  nodes: ReadonlyMap<string, CheckedNode>,
  faults: Faults,
): void {
  for (const instance of instances) {
    const node = nodes.get(instance.node);
    const found = node && instance.stage.checkUpstream?.(instance.params, upstreamOf(instance, instances));
    if (!found) continue;
    for (const problem of [found].flat())
      faults.add('bad-parameter', placeOf(problem, node), problem.message, problem.hint);
  }
}

function placeOf({parameter, path = [], isName}: ParameterProblem, {spec}: CheckedNode): Place {
  const given = spec.with.get(parameter);
  if (!given?.value) return given?.keyAt ?? spec.at;
  const holder = isName && innermost(given.value, path.slice(0, -1));
  const entry = holder && holder.kind === 'map' ? holder.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyAt ?? innermost(given.value, path).at;
}

/** What is far above is looked at when it is asked about: a gathered sweep has thousands of instances above it. */
function upstreamOf(instance: Instance, instances: readonly Instance[]): Upstream {
  return {
    inputs: giversOf(instance, instances),
    get all() {
      const seen = new Set([instance]);
      const all: Above[] = [];
      for (const next of seen) {
        if (next !== instance) all.push({stage: next.stage, params: next.params});
        for (const {from} of Object.values(next.inputs).flatMap(membersOf)) {
          const source = instances[from];
          if (source) seen.add(source);
        }
      }
      return all;
    },
  };
}

function giversOf({inputs}: Instance, instances: readonly Instance[]): Givers {
  const given = Object.entries(inputs).map(([name, binding]) => {
    const givers = membersOf(binding).flatMap(({axes = NO_AXES, from, artifact}): Giver | readonly [] => {
      const source = instances[from];
      const output = source?.stage.outputs[artifact];
      if (!source || !output) return [];
      return {
        stage: source.stage,
        params: source.params,
        axes,
        columns: declaredColumns(output),
        apart: output.apart ?? [],
        get inputs() {
          return giversOf(source, instances);
        },
      };
    });
    return [name, givers] as const;
  });
  return Object.fromEntries(given);
}
