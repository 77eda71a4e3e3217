import type {Graph, Instance} from '../graph/graph.ts';
import type {Store} from '../store/store.ts';
import type {PlannedInstance} from './verdict.ts';

/**
 * A cached instance has to run again when something that runs needs a payload that is gone, and then may need payloads itself; one
 * whose consumers are all cached needs none. So from the last instance to the first.
 */
export function requirePayloads(
  graph: Graph,
  planned: readonly PlannedInstance[],
  store: Pick<Store, 'hasBlob'>,
): readonly PlannedInstance[] {
  if (planned.every(({verdict}) => verdict === 'cached')) return planned;
  const result = [...planned];
  for (const {instance, verdict, record} of planned.toReversed()) {
    if (verdict !== 'cached' || record === undefined) continue;
    const needed = neededArtifacts(graph, instance, result);
    const artifact = needed.find((name) => {
      const output = record.outputs[name];
      return output !== undefined && !store.hasBlob(output.digest, output.bytes);
    });
    const current = result[instance.index];
    if (artifact === undefined || current === undefined) continue;
    result[instance.index] = {
      ...current,
      verdict: 'run',
      reason: {why: 'payload-missing', artifact},
      record: undefined,
    };
  }
  return result;
}

function neededArtifacts(graph: Graph, {index}: Instance, planned: readonly PlannedInstance[]): readonly string[] {
  const running = (graph.consumers[index] ?? []).flatMap((consumer) => {
    const verdict = planned[consumer]?.verdict;
    return verdict === 'run' || verdict === 'run-unless-cut-off' ? (graph.instances[consumer] ?? []) : [];
  });
  if (running.length === 0) return [];
  const taken = running.flatMap(({inputs}) =>
    Object.values(inputs).flatMap((binding) =>
      (binding.many ? binding.members : [binding]).flatMap(({from, artifact}) => (from === index ? [artifact] : [])),
    ),
  );
  return [...new Set(taken)];
}
