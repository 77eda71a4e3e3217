import {relative} from 'node:path';
import type {Graph} from '../graph/graph.ts';
import {wrapWords} from '../report/format.ts';
import {type SummaryTable, summaryTables} from '../results/summary-tables.ts';
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
  const tables = summaryTables(graph, records, without);
  for (const table of tables) stdout.write(`\n${summaryText(table, stdout.columns)}\n`);
  const example = graph.instances.find(({index, stage}) => records[index] && arrowOutput(stage) !== undefined);
  const artifact = example && arrowOutput(example.stage);
  if (!example || artifact === undefined) return;
  const gathered = graph.nodes.find(
    ({instances, stage}) => instances.length > 1 && records[instances[0] ?? -1] && arrowOutput(stage) !== undefined,
  );
  const table = gathered ? `${gathered.name}.${arrowOutput(gathered.stage)}` : `${example.id}.${artifact}`;
  stdout.write(`\nArrow tables: ${relative(process.cwd(), store.root) || '.'}, by digest. To look at one:\n`);
  const asArrow = [`${example.id}.${artifact}`, '--format', 'arrow', '--output', `${artifact}.arrow`];
  stdout.write(`  ${repeatCommand('show', file, [table], options)}\n`);
  stdout.write(`  ${repeatCommand('show', file, asArrow, options)}\n`);
  const isThere = (name: string): boolean => {
    const instances = graph.nodes.find((node) => node.name === name)?.instances ?? [];
    return instances.every((index) => wanted.has(index)) && instances.some((index) => records[index]);
  };
  const plots = graph.plots.filter((plot) => plot.tables.every(({node}) => isThere(node)));
  if (plots.length > 0) stdout.write('Plots, as SVG:\n');
  for (const plot of plots) {
    stdout.write(`  ${repeatCommand('show', file, [plotName(plot), '--output', `${plot.name}.svg`], options)}\n`);
  }
}

/** A summary as wide as the terminal allows; what is left out is said, and `show` has it. */
function summaryText({columns, rows}: SummaryTable, width = Number.POSITIVE_INFINITY): string {
  const fitting = fittingColumns(columns, rows, width);
  const left = columns.slice(fitting);
  const text = textTable(columns.slice(0, fitting), rows, width);
  return left.length === 0 ? text : [text, ...wrapWords(`(not shown: ${left.join(', ')})`, width)].join('\n');
}

const arrowOutput = ({outputs}: Stage): string | undefined =>
  Object.keys(outputs).find((name) => outputs[name]?.kind !== 'file');
