import type {ArtifactKind} from '../../src/artifact/kinds.ts';
import type {Graph} from '../../src/graph/graph.ts';
import {keyOfPreimage, preimageOf} from '../../src/plan/key.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {Plan} from '../../src/plan/verdict.ts';
import {placeOf} from '../../src/store/pipeline-place.ts';
import type {OutputRecord, StoreRecord} from '../../src/store/record.ts';
import type {Store} from '../../src/store/store.ts';
import {draftOf} from './temporary-store.ts';

/** What an instance's outputs hold; by default its id and its whole preimage, so that they change when anything does. */
export type Give = (id: string, artifact: string) => string | undefined;

/** Runs a graph as a runner would, with texts for payloads; answers with the plan it followed and what ran. */
export async function runGraph(
  graph: Graph,
  store: Store,
  numerics = 'n1',
  give: Give = () => undefined,
  secondsOf: (stage: string) => number = () => 0,
): Promise<{readonly plan: Plan; readonly ran: readonly string[]}> {
  const plan = await makePlan(graph, {store, numerics});
  const records: StoreRecord[] = [];
  const ran: string[] = [];
  for (const {instance, identity, verdict} of plan.instances) {
    if (identity === undefined) throw new Error(`${instance.id} is unresolved`);
    const outputOf = (index: number, artifact: string): OutputRecord => {
      const output = records[index]?.outputs[artifact];
      if (!output) throw new Error(`no ${artifact} of ${index}`);
      return output;
    };
    const preimage = preimageOf({instance, identity}, outputOf, numerics);
    const key = keyOfPreimage(preimage);
    const before = store.records([key]).get(key);
    if (before && !(verdict === 'run' && plan.instances[instance.index]?.reason.why === 'payload-missing'))
      records[instance.index] = before;
    else {
      const names = Object.entries(instance.stage.outputs);
      const texts = names.map(([name]) => [name, give(instance.id, name) ?? `${name} ${key}`]);
      const kinds = Object.fromEntries(names.map(([name, {kind}]): [string, ArtifactKind] => [name, kind]));
      const options = {kinds, seconds: secondsOf(instance.stage.name)};
      records[instance.index] = await store.publish(await draftOf(store, preimage, Object.fromEntries(texts), options));
      ran.push(instance.id);
    }
    store.remember(placeOf(store.root, graph), [{instance: instance.id, key}]);
  }
  return {plan, ran};
}
