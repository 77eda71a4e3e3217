import {fail} from '../base/result.ts';
import type {Expectation, Graph} from '../graph/graph.ts';
import {heldExpectations} from '../plan/reads.ts';
import {some} from '../plan/reason-text.ts';
import {checkExpectations} from '../results/expectations.ts';
import {readRows} from '../results/read-artifact.ts';
import type {RunEvent} from '../run/event.ts';
import type {RunResult} from '../run/run-options.ts';
import type {Store} from '../store/store.ts';

/** Holds the tables of a run to the pipeline's `expect:`; gives how many claims are not met. Claims on what was not wanted are left out. */
export async function reportExpectations(
  graph: Graph,
  store: Store,
  {records, without}: RunResult,
  wanted: ReadonlySet<number>,
  emit: (event: RunEvent) => void,
): Promise<number> {
  const members = (name: string) => graph.nodes.find((node) => node.name === name)?.instances ?? [];
  const expectations = heldExpectations(graph, wanted);
  const verdicts = await checkExpectations({...graph, expectations}, async (node, artifact) => {
    const instances = members(node).flatMap((index) => graph.instances[index] ?? []);
    const partial = instances.find(({index}) => without.has(index));
    if (partial) {
      const lost = (without.get(partial.index) ?? []).flatMap((index) => graph.instances[index]?.id ?? []);
      return fail(`${partial.id} is made without what failed: ${some(lost, ', ')}.`);
    }
    const rows = await readRows(
      store,
      instances.map((instance) => ({instance, record: records[instance.index]})),
      artifact,
    );
    if (rows.ok) return rows;
    const {message, isGone} = rows.error;
    return fail(isGone ? `${message} The next run computes it again.` : message);
  });
  tellLeftOut(graph, wanted, emit);
  for (const {expectation, met, detail} of verdicts) {
    const {node, artifact, where, that} = expectation;
    emit({event: 'expectation', of: `${node}.${artifact}`, where: where ?? null, that, met, detail});
  }
  return verdicts.filter(({met}) => !met).length;
}

/** Claims on a node of which nothing is wanted are no part of the run; who wants some of its points may think that they are held to these. */
function tellLeftOut(graph: Graph, wanted: ReadonlySet<number>, emit: (event: RunEvent) => void): void {
  for (const {name, instances} of graph.nodes) {
    const ofNode = graph.expectations.filter(({node}) => node === name);
    const isPart = ofNode.length > 0 && instances.some((index) => wanted.has(index));
    if (!isPart || instances.every((index) => wanted.has(index))) continue;
    const claims = some(ofNode.map(claimText), '; ');
    emit({
      event: 'warning',
      message: `Only a part of ${name} is wanted, so these expectations are not looked at: ${claims}`,
    });
  }
}

const claimText = ({node, artifact, where, that}: Expectation): string =>
  `${node}.${artifact}${where === undefined ? '' : ` where ${where}`}: ${that}`;
