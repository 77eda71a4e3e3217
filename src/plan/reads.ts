import type {Expectation, Graph} from '../graph/graph.ts';
import type {OutputRecord, StoreRecord} from '../store/record.ts';

/** Of an instance that is wanted for its file: a small table in its record does not do. */
export interface AskedArtifact {
  readonly index: number;
  readonly artifact: string;
}

interface Read {
  readonly artifact: string;
  readonly asFile: boolean;
}

/** What is read when a run has ended, by the instance that gave it. It takes from what is stored as an instance does, though it has no key. */
export type Reads = ReadonlyMap<number, readonly Read[]>;

/** The expectations that a run is held to: a claim on a table of which a part is not wanted is left out. */
export function heldExpectations({nodes, expectations}: Graph, wanted: ReadonlySet<number>): readonly Expectation[] {
  if (expectations.length === 0) return expectations;
  const members = new Map(nodes.map(({name, instances}) => [name, instances]));
  return expectations.filter(({node}) => members.get(node)?.every((index) => wanted.has(index)));
}

export function readsOf(graph: Graph, wanted: ReadonlySet<number>, asked: readonly AskedArtifact[]): Reads {
  const reads = new Map<number, Read[]>();
  const add = (index: number, read: Read): void => {
    const before = reads.get(index);
    if (before) before.push(read);
    else reads.set(index, [read]);
  };
  for (const {node, artifact} of heldExpectations(graph, wanted))
    for (const index of graph.nodes.find(({name}) => name === node)?.instances ?? [])
      add(index, {artifact, asFile: false});
  for (const {index, artifact} of asked) add(index, {artifact, asFile: true});
  return reads;
}

/** The outputs of a record that are read from their files. */
export function filesRead(
  reads: Reads,
  index: number,
  record: Pick<StoreRecord, 'outputs'>,
): readonly {readonly artifact: string; readonly output: OutputRecord}[] {
  const asked = reads.get(index);
  if (asked === undefined) return []; // before what a record gave is parsed, which most runs ask of few
  const {outputs} = record;
  return asked.flatMap(({artifact, asFile}) => {
    const output = outputs[artifact];
    return output && (asFile || output.inline === undefined) ? [{artifact, output}] : [];
  });
}
