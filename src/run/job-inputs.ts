import type {Binding, Instance} from '../graph/graph.ts';
import type {OutputRecord} from '../store/record.ts';
import type {BlobReference, InputReference} from './protocol.ts';

export type OutputsOf = (index: number, artifact: string) => OutputRecord;

/** The blobs an instance reads, by input. */
export function jobInputs(
  instance: Instance,
  outputsOf: OutputsOf,
  blobPath: (digest: OutputRecord['digest']) => string,
): Record<string, InputReference> {
  const reference = (output: OutputRecord): BlobReference => ({digest: output.digest, path: blobPath(output.digest)});
  const bind = (binding: Binding): InputReference => {
    if (!binding.many) {
      const output = outputsOf(binding.from, binding.artifact);
      return {many: false, kind: output.kind, ...reference(output)};
    }
    const outputs = binding.members.map((member) => ({member, output: outputsOf(member.from, member.artifact)}));
    const [first] = outputs;
    if (!first) throw new Error(`Internal error: ${instance.id} gathers nothing`);
    return {
      many: true,
      kind: first.output.kind,
      members: outputs.map(({member, output}) => ({axes: member.axes, ...reference(output)})),
    };
  };
  return Object.fromEntries(Object.entries(instance.inputs).map(([name, binding]) => [name, bind(binding)]));
}

/** Instances whose output has one of these digests, among those that an instance reads. */
export function producersOf(instance: Instance, outputsOf: OutputsOf, digests: ReadonlySet<string>): readonly number[] {
  const producers = new Set<number>();
  for (const binding of Object.values(instance.inputs)) {
    for (const {from, artifact} of binding.many ? binding.members : [binding]) {
      if (digests.has(outputsOf(from, artifact).digest)) producers.add(from);
    }
  }
  return [...producers];
}
