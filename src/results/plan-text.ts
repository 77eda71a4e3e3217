import type {Graph, GraphNode} from '../graph/graph.ts';
import {reasonText} from '../plan/reason-text.ts';
import type {Plan, PlannedInstance} from '../plan/verdict.ts';

const VERDICTS = ['cached', 'run', 'run-unless-cut-off', 'unresolved'] as const;

/**
 * A node's axes with their sizes, and how many instances have each verdict, with the reasons of those that will run. What to do
 * about data that cannot be had is said once, where it is first missed.
 */
export function planText(graph: Graph, plan: Plan, everyInstance: boolean): string {
  const width = Math.max(...graph.nodes.map(({name}) => name.length));
  const advised = new Set<string>();
  const lines = graph.nodes.flatMap((node) => nodeLines(node, plan, width, everyInstance, advised));
  return [...lines, '', `${plan.instances.length} instances: ${counts(plan.instances)}`].join('\n');
}

function counts(planned: readonly PlannedInstance[]): string {
  return VERDICTS.flatMap((verdict) => {
    const n = planned.filter((one) => one.verdict === verdict).length;
    return n === 0 ? [] : [`${n} ${verdict}`];
  }).join(', ');
}

function nodeLines(
  node: GraphNode,
  plan: Plan,
  width: number,
  everyInstance: boolean,
  advised: Set<string>,
): readonly string[] {
  const planned = node.instances.flatMap((index) => plan.instances[index] ?? []);
  const axes = node.axes.map(({name, values}) => `${name} ×${values.length}`).join(', ');
  const head = `${node.name.padEnd(width)}  ${counts(planned)}${axes === '' ? '' : `  (${axes})`}`;
  if (everyInstance) {
    return [
      head,
      ...planned.map(({instance, verdict, reason}) => `  ${instance.id}: ${verdict}, ${reasonText(reason)}`),
    ];
  }
  const reasons = new Map<string, {readonly n: number; readonly hint: string | undefined}>();
  for (const {verdict, reason} of planned) {
    if (verdict === 'cached') continue;
    const hint = reason.why === 'unresolved' ? reason.hint : undefined;
    const text = reasonText(reason.why === 'unresolved' ? {...reason, hint: undefined} : reason);
    reasons.set(text, {n: (reasons.get(text)?.n ?? 0) + 1, hint});
  }
  const indent = ' '.repeat(width + 2);
  return [
    head,
    ...[...reasons].flatMap(([text, {n, hint}]) => {
      const line = `${indent}${n === 1 ? '' : `${n} × `}${text}`;
      if (hint === undefined || advised.has(text)) return [line];
      advised.add(text);
      return [line, `${indent}${hint}`];
    }),
  ];
}
