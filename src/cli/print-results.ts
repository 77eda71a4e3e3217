import {relative} from 'node:path';
import type {TableKind} from '../artifact/kinds.ts';
import type {Graph, GraphNode} from '../graph/graph.ts';
import {wrapWords} from '../report/format.ts';
import {type OmittedSummaries, type SummaryTable, summariesOf} from '../results/summary-tables.ts';
import {fittingColumns, textTable} from '../results/text-table.ts';
import type {RunResult} from '../run/run-options.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {Store} from '../store/store.ts';
import {plotName} from './find-plot.ts';
import type {PipelineOptions} from './pipeline-options.ts';
import {repeatCommand} from './repeat-command.ts';

/** After a run: what it found, where its tables are, and how to look at one. */
export function printResults(
  file: string,
  graph: Graph,
  store: Store,
  {records, without}: RunResult,
  wanted: ReadonlySet<number>,
  options: PipelineOptions,
): void {
  const {stdout} = process;
  const show = (...args: readonly string[]): string => repeatCommand('show', file, args, options);
  /** Whether `show` finds it whole: a point that failed has its place. */
  const isThere = ({instances}: GraphNode): boolean =>
    instances.every((index) => wanted.has(index)) && instances.some((index) => records[index]);
  const {tables, omitted} = summariesOf(graph, records, without);
  for (const table of tables) stdout.write(`\n${summaryText(table, stdout.columns)}\n`);
  if (omitted.length > 0) stdout.write('\n');
  for (const each of omitted) stdout.write(`(not shown: ${omittedText(each, isThere(each.node), show)})\n`);
  const example = graph.instances.find(({index, stage}) => records[index] && arrowOutput(stage) !== undefined);
  const artifact = example && arrowOutput(example.stage);
  if (!example || artifact === undefined) return;
  const gathered = graph.nodes.filter((node) => node.instances.length > 1 && isThere(node));
  const shown = gathered.find(({stage}) => tableOutput(stage) !== undefined) ?? gathered.find(hasArrow);
  const table = shown ? `${shown.name}.${outputToRead(shown.stage)}` : `${example.id}.${outputToRead(example.stage)}`;
  stdout.write(`\nArrow tables: ${relative(process.cwd(), store.root) || '.'}, by digest. To look at one:\n`);
  stdout.write(`  ${show(table)}\n`);
  stdout.write(`  ${show(`${example.id}.${artifact}`, '--format', 'arrow', '--output', `${artifact}.arrow`)}\n`);
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const plots = graph.plots.filter((plot) =>
    plot.tables.every(({node}) => {
      const drawn = nodes.get(node);
      return drawn !== undefined && isThere(drawn);
    }),
  );
  if (plots.length > 0) stdout.write('Plots, as SVG:\n');
  for (const plot of plots) stdout.write(`  ${show(plotName(plot), '--output', `${plot.name}.svg`)}\n`);
}

/** Summaries that are in no table, and the command that shows them: of the node, or of one instance where not all of it is there. */
function omittedText(
  {node: {name, instances: all}, artifact, instances, rows}: OmittedSummaries,
  isWhole: boolean,
  show: (name: string) => string,
): string {
  const [first] = instances;
  const one = `${first?.id}.${artifact}`;
  const whole = `${name}.${artifact}`;
  const part = instances.length < all.length ? `${whole} of ${instances.length} of ${all.length} instances` : whole;
  const size = rows === undefined ? '' : `, ${rows} rows`;
  return `${instances.length === 1 ? one : part}${size}: ${show(isWhole ? whole : one)}`;
}

/** A summary as wide as the terminal allows; what is left out is said, and `show` has it. */
function summaryText({columns, rows}: SummaryTable, width = Number.POSITIVE_INFINITY): string {
  const fitting = fittingColumns(columns, rows, width);
  const left = columns.slice(fitting);
  const text = textTable(columns.slice(0, fitting), rows, width);
  return left.length === 0 ? text : [text, ...wrapWords(`(not shown: ${left.join(', ')})`, width)].join('\n');
}

/** Those for people before those that a computation leaves. */
const READABLE = ['points', 'summary', 'evals', 'metrics', 'examples'] as const satisfies readonly TableKind[];

const tableOutput = ({outputs}: Stage): string | undefined =>
  READABLE.flatMap((kind) => Object.keys(outputs).find((name) => outputs[name]?.kind === kind) ?? [])[0];

const outputToRead = (stage: Stage): string | undefined => tableOutput(stage) ?? arrowOutput(stage);

const hasArrow = ({stage}: GraphNode): boolean => arrowOutput(stage) !== undefined;

const arrowOutput = ({outputs}: Stage): string | undefined =>
  Object.keys(outputs).find((name) => outputs[name]?.kind !== 'file');
