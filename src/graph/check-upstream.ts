import {type Columns, declaredColumns} from '../artifact/kinds.ts';
import type {JsonObject} from '../base/json.ts';
import type {Faults} from '../spec/faults.ts';
import {innermost, type Place} from '../spec/tree.ts';
import type {Above, Giver, Givers, OutputDeclaration, ParameterProblem, Upstream} from '../stage/define-stage.ts';
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
  const above: Looked = {instances, columns: new Map(), givers: new Map()};
  for (const instance of instances) {
    const node = nodes.get(instance.node);
    const found = node && instance.stage.checkUpstream?.(instance.params, upstreamOf(instance, above));
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

/** What is above is looked at once, though thousands of points may ask about it. */
interface Looked {
  readonly instances: readonly Instance[];
  readonly columns: Map<OutputDeclaration, Columns>;
  readonly givers: Map<Instance, Givers>;
}

/** What is far above is looked at when it is asked about: a gathered sweep has thousands of instances above it. */
function upstreamOf(instance: Instance, above: Looked): Upstream {
  return {
    inputs: giversOf(instance, above),
    get all() {
      const seen = new Set([instance]);
      const all: Above[] = [];
      for (const next of seen) {
        if (next !== instance) all.push({stage: next.stage, params: next.params});
        for (const {from} of Object.values(next.inputs).flatMap(membersOf)) {
          const source = above.instances[from];
          if (source) seen.add(source);
        }
      }
      return all;
    },
  };
}

function giversOf(instance: Instance, above: Looked): Givers {
  const known = above.givers.get(instance);
  if (known) return known;
  const {inputs} = instance;
  const given = Object.entries(inputs).map(([name, binding]) => {
    const givers = membersOf(binding).flatMap(({axes = NO_AXES, from, artifact}): Giver | readonly [] => {
      const source = above.instances[from];
      const output = source?.stage.outputs[artifact];
      if (!source || !output) return [];
      return {
        stage: source.stage,
        params: source.params,
        axes,
        columns: columnsOf(output, above),
        apart: output.apart ?? [],
        get inputs() {
          return giversOf(source, above);
        },
      };
    });
    return [name, givers] as const;
  });
  const givers: Givers = Object.fromEntries(given);
  above.givers.set(instance, givers);
  return givers;
}

function columnsOf(output: OutputDeclaration, {columns}: Looked): Columns {
  const known = columns.get(output);
  if (known) return known;
  const own = declaredColumns(output);
  columns.set(output, own);
  return own;
}
