import type {Graph, GraphNode} from '../graph/graph.ts';
import {reasonText} from '../plan/reason-text.ts';
import type {Plan, PlannedInstance} from '../plan/verdict.ts';

const VERDICTS = ['cached', 'run', 'run-unless-cut-off', 'unresolved'] as const;

/** A node's axes with their sizes, and how many instances have each verdict, with the reasons of those that will run. */
export function planText(graph: Graph, plan: Plan, everyInstance: boolean): string {
  const width = Math.max(...graph.nodes.map(({name}) => name.length));
  const lines = graph.nodes.flatMap((node) => nodeLines(node, plan, width, everyInstance));
  return [...lines, '', `${plan.instances.length} instances: ${counts(plan.instances)}`].join('\n');
}

function counts(planned: readonly PlannedInstance[]): string {
  return VERDICTS.flatMap((verdict) => {
    const n = planned.filter((one) => one.verdict === verdict).length;
    return n === 0 ? [] : [`${n} ${verdict}`];
  }).join(', ');
}

function nodeLines(node: GraphNode, plan: Plan, width: number, everyInstance: boolean): readonly string[] {
  const planned = node.instances.flatMap((index) => plan.instances[index] ?? []);
  const axes = node.axes.map(({name, values}) => `${name} ×${values.length}`).join(', ');
  const head = `${node.name.padEnd(width)}  ${counts(planned)}${axes === '' ? '' : `  (${axes})`}`;
  if (everyInstance) {
    return [
      head,
      ...planned.map(({instance, verdict, reason}) => `  ${instance.id}: ${verdict}, ${reasonText(reason)}`),
    ];
  }
  const reasons = new Map<string, number>();
  for (const {verdict, reason} of planned) {
    if (verdict !== 'cached') reasons.set(reasonText(reason), (reasons.get(reasonText(reason)) ?? 0) + 1);
  }
  return [head, ...[...reasons].map(([text, n]) => `${' '.repeat(width)}  ${n === 1 ? '' : `${n} × `}${text}`)];
}
