import {isTableKind} from '../artifact/kinds.ts';
import {ok, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {OutputRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {lastFailures} from './last-failures.ts';
import {type NotReadable, notRun} from './read-artifact.ts';

/** An artifact over instances of a node. */
export interface StoredArtifact {
  /** Each with its record, or with why it failed. */
  readonly members: readonly (PlannedInstance & {readonly failure: string | undefined})[];
  /** The first that is stored. */
  readonly first: PlannedInstance;
  readonly output: OutputRecord;
}

/** An artifact as it is stored; the error names an instance which has not run, or failed where no table has its place. */
export async function storedArtifact(
  store: Store,
  graph: Graph,
  members: readonly PlannedInstance[],
  artifact: string,
): Promise<Result<StoredArtifact, NotReadable>> {
  const missing = members.filter(({record}) => !record);
  const keys = new Map(missing.map(({instance, key}) => [String(instance.id), key]));
  const failures = await lastFailures(store.root, placeOf(store.root, graph), keys, graph);
  const first = members.find(({record}) => record);
  const output = first?.record?.outputs[artifact];
  // A point that failed has its place in the table of a sweep; of anything else there is nothing to show.
  const lacking = missing.find(({instance}) => !output || !isTableKind(output.kind) || !failures.has(instance.id));
  if (lacking) {
    const why = failures.get(lacking.instance.id);
    return notRun(
      `${lacking.instance.id} has not run as the pipeline is now.${why === undefined ? '' : ` When it was last tried: ${why}`}`,
    );
  }
  if (!first || !output) throw new Error(`Internal error: a record has no "${artifact}"`);
  const told = members.map((member) => ({...member, failure: failures.get(member.instance.id)}));
  return ok({members: told, first, output});
}
