import type {Graph, GraphNode} from '../graph/graph.ts';
import type {PredictedTime} from '../plan/predict-time.ts';
import {reasonText} from '../plan/reason-text.ts';
import {type Plan, type PlannedInstance, plannedOf} from '../plan/verdict.ts';
import {formatSeconds} from '../report/format.ts';

const VERDICTS = ['cached', 'run', 'run-unless-cut-off', 'unresolved'] as const;

interface PlanShown {
  readonly time: PredictedTime;
  /** Of instances, by index. */
  readonly notes: ReadonlyMap<number, string>;
  readonly everyInstance: boolean;
}

/** With more nodes than this, those that are wholly cached are only counted: they are not what is looked for. */
const MANY_NODES = 100;

/**
 * A node's axes with their sizes, what is noted of it, and how many instances have each verdict, with the reasons of those that will
 * run; and how long it will take. What to do about data that cannot be had is said once, where it is first missed.
 */
export function planText(graph: Graph, plan: Plan, {time, notes, everyInstance}: PlanShown): string {
  const isCached = ({instances}: GraphNode): boolean =>
    instances.every((index) => plan.instances[index]?.verdict === 'cached');
  const shown =
    everyInstance || graph.nodes.length <= MANY_NODES ? graph.nodes : graph.nodes.filter((node) => !isCached(node));
  const width = shown.reduce((widest, {name}) => Math.max(widest, name.length), 0);
  const advised = new Set<string>();
  const lines = shown.flatMap((node) => nodeLines(node, plan, {width, notes, everyInstance, advised}));
  const planned = plannedOf(graph, plan);
  const rest = graph.nodes.length - shown.length;
  return [
    ...lines,
    ...(rest === 0 ? [] : [`${rest} nodes are wholly cached; --all names them.`]),
    '',
    `${planned.length} instances: ${counts(planned)}${timeText(time)}`,
  ].join('\n');
}

/** Nothing where nothing runs, or nothing like it has run. */
function timeText({total, unknown}: PredictedTime): string {
  if (total === 0) return '';
  const more = unknown === 0 ? '' : ` and ${unknown} of which nothing like them has run`;
  return `; about ${formatSeconds(total)} by recorded durations${more}`;
}

function counts(planned: readonly PlannedInstance[]): string {
  const numbers = {cached: 0, run: 0, 'run-unless-cut-off': 0, unresolved: 0};
  for (const {verdict} of planned) numbers[verdict] += 1;
  return VERDICTS.flatMap((verdict) => (numbers[verdict] === 0 ? [] : [`${numbers[verdict]} ${verdict}`])).join(', ');
}

function nodeLines(
  node: GraphNode,
  plan: Plan,
  {
    width,
    notes,
    everyInstance,
    advised,
  }: Omit<PlanShown, 'time'> & {readonly width: number; readonly advised: Set<string>},
): readonly string[] {
  const planned = node.instances.flatMap((index) => plan.instances[index] ?? []);
  const axes = node.axes.map(({name, values}) => `${name} ×${values.length}`).join(', ');
  const head = `${node.name.padEnd(width)}  ${counts(planned)}${axes === '' ? '' : `  (${axes})`}`;
  const indent = ' '.repeat(width + 2);
  const noted = [...new Set(node.instances.flatMap((index) => notes.get(index) ?? []))].map(
    (note) => `${indent}${note}`,
  );
  if (everyInstance) {
    return [
      head,
      ...noted,
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
  return [
    head,
    ...noted,
    ...[...reasons].flatMap(([text, {n, hint}]) => {
      const line = `${indent}${n === 1 ? '' : `${n} × `}${text}`;
      if (hint === undefined || advised.has(text)) return [line];
      advised.add(text);
      return [line, `${indent}${hint}`];
    }),
  ];
}
