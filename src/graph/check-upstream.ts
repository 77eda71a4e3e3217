import {declaredColumns} from '../artifact/kinds.ts';
import type {Faults} from '../spec/faults.ts';
import type {Above, Upstream} from '../stage/define-stage.ts';
import type {CheckedNode} from './check-node.ts';
import type {Binding, Instance} from './graph.ts';

const membersOf = (binding: Binding): readonly {readonly from: number; readonly artifact: string}[] =>
  binding.many ? binding.members : [binding];

/** Asks the stages that want to know what lies above them; what they refuse is a fault of the parameter. */
export function checkUpstream(
  instances: readonly Instance[],
  nodes: ReadonlyMap<string, CheckedNode>,
  faults: Faults,
): void {
  for (const instance of instances) {
    const node = nodes.get(instance.node)?.spec;
    const problem = node && instance.stage.checkUpstream?.(instance.params, upstreamOf(instance, instances));
    if (!problem) continue;
    const given = node.with.get(problem.parameter);
    const at = given?.value?.at ?? given?.keyAt ?? node.at;
    faults.add('bad-parameter', at, problem.message, problem.hint);
  }
}

function upstreamOf(instance: Instance, instances: readonly Instance[]): Upstream {
  const inputs = Object.entries(instance.inputs).map(([name, binding]) => {
    const sources = membersOf(binding).flatMap(({from, artifact}) => {
      const source = instances[from];
      const output = source?.stage.outputs[artifact];
      return source && output ? [{stage: source.stage, params: source.params, columns: declaredColumns(output)}] : [];
    });
    return [name, sources] as const;
  });
  const seen = new Set([instance]);
  const all: Above[] = [];
  for (const next of seen) {
    if (next !== instance) all.push({stage: next.stage, params: next.params});
    for (const {from} of Object.values(next.inputs).flatMap(membersOf)) {
      const source = instances[from];
      if (source) seen.add(source);
    }
  }
  return {inputs: Object.fromEntries(inputs), all};
}
