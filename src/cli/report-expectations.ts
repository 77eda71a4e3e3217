import {underColumns} from '../artifact/axis-columns.ts';
import {axisCell} from '../artifact/gather.ts';
import {fail, ok} from '../base/result.ts';
import {UserError} from '../base/user-error.ts';
import type {Expectation, Graph, Instance, InstanceId} from '../graph/graph.ts';
import {columnsOf} from '../graph/node-axes.ts';
import {failedAbove} from '../plan/failed-above.ts';
import {heldExpectations} from '../plan/reads.ts';
import {some} from '../plan/reason-text.ts';
import {checkExpectations} from '../results/expectations.ts';
import {readRows} from '../results/read-artifact.ts';
import type {Outcome, RunEvent} from '../run/event.ts';
import type {RunResult} from '../run/run-options.ts';
import {compileCondition} from '../spec/expression.ts';
import type {Store} from '../store/store.ts';

interface Ended {
  readonly graph: Graph;
  readonly store: Store;
  readonly result: RunResult;
  readonly wanted: ReadonlySet<number>;
  readonly outcomes: ReadonlyMap<InstanceId, Outcome>;
}

/** Holds the tables of a run to the pipeline's `expect:`; gives how many claims are not met. Claims on what was not wanted are left out. */
export async function reportExpectations(
  {graph, store, result: {records, without}, wanted, outcomes}: Ended,
  emit: (event: RunEvent) => void,
): Promise<number> {
  const members = (name: string) => graph.nodes.find((node) => node.name === name)?.instances ?? [];
  const expectations = heldExpectations(graph, wanted);
  const hasFailed = ({id}: Instance): boolean => outcomes.get(id) === 'failed';
  const verdicts = await checkExpectations({...graph, expectations}, async (node, artifact, where) => {
    const all = members(node).flatMap((index) => graph.instances[index] ?? []);
    const isWhole = ({index}: Instance): boolean => records[index] !== undefined && !without.has(index);
    const instances = all.every(isWhole) ? all : selectedByAxes(all, artifact, where);
    const partial = instances.find(({index}) => without.has(index));
    if (partial) {
      const lost = (without.get(partial.index) ?? []).flatMap((index) => graph.instances[index]?.id ?? []);
      return fail(`${partial.id} is made without what failed: ${some(lost, ', ')}.`);
    }
    const lacking = instances.filter(({index}) => !records[index]);
    if (lacking.length > 0) return fail(whyLacking(lacking, graph, hasFailed));
    const rows = await readRows(
      store,
      instances.map((instance) => ({instance, record: records[instance.index]})),
      artifact,
    );
    if (rows.ok) return ok(rows.value);
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

/** Those of which a condition over axes alone can select rows: what failed at another point is no matter of the claim. */
function selectedByAxes(
  instances: readonly Instance[],
  artifact: string,
  where: string | undefined,
): readonly Instance[] {
  const [first] = instances;
  if (!first || where === undefined) return instances;
  const shown = underColumns(first.axes, Object.keys(columnsOf(first.stage, artifact)));
  const compiled = compileCondition(where, Object.keys(shown(first.axes)));
  if (!compiled.ok) return instances;
  const selected = instances.filter(({axes}) => {
    try {
      return compiled.value(
        Object.fromEntries(Object.entries(shown(axes)).map(([name, value]) => [name, axisCell(value)])),
      );
    } catch (error) {
      // it is told where its rows are held to the condition
      if (error instanceof UserError) return true;
      throw error;
    }
  });
  return selected.length > 0 ? selected : instances;
}

function whyLacking(lacking: readonly Instance[], graph: Graph, hasFailed: (instance: Instance) => boolean): string {
  const named = (instances: readonly Instance[]): string =>
    some(
      instances.map(({id}) => id),
      ', ',
    );
  const failed = lacking.filter(hasFailed);
  if (failed.length > 0) return `${named(failed)} failed.`;
  const above = failedAbove(graph, lacking, hasFailed);
  if (above.length > 0) return `${named(lacking)} did not run, since ${named(above)} failed.`;
  return `${named(lacking)} did not run: the run ended before at what failed. With --keep-going it goes on.`;
}
