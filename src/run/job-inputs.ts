import {inCanonicalOrder} from '../base/canonical-json.ts';
import type {Binding, Instance} from '../graph/graph.ts';
import type {OutputsOf} from '../plan/key.ts';
import type {OutputRecord} from '../store/record.ts';
import type {InputReference} from './protocol.ts';

/** The blobs an instance reads, by input. */
export function jobInputs(instance: Instance, outputsOf: OutputsOf): Record<string, InputReference> {
  const bind = (binding: Binding): InputReference => {
    if (!binding.many) {
      const {kind, digest} = outputsOf(binding.from, binding.artifact);
      return {many: false, kind, digest};
    }
    const [first] = binding.members;
    if (!first) throw new Error(`Internal error: ${instance.id} gathers nothing`);
    return {
      many: true,
      kind: outputsOf(first.from, first.artifact).kind,
      // As with parameters: how the value of an axis is written is in no key.
      members: binding.members.map(({axes, from, artifact}) => ({
        axes: inCanonicalOrder(axes),
        digest: outputsOf(from, artifact).digest,
      })),
    };
  };
  return Object.fromEntries(Object.entries(instance.inputs).map(([name, binding]) => [name, bind(binding)]));
}

/** Instances that gave an output of that description, among those that an instance reads. */
export function producersOf(
  instance: Instance,
  outputsOf: OutputsOf,
  isMeant: (output: OutputRecord) => boolean,
): readonly number[] {
  const producers = new Set<number>();
  for (const binding of Object.values(instance.inputs)) {
    for (const {from, artifact} of binding.many ? binding.members : [binding]) {
      if (isMeant(outputsOf(from, artifact))) producers.add(from);
    }
  }
  return [...producers];
}
