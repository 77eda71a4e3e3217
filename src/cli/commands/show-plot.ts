import {extname} from 'node:path';
import type {Rows} from '../../artifact/kinds.ts';
import {fail, ok, type Result} from '../../base/result.ts';
import {VEGA_LITE_REFERENCE} from '../../graph/check-specifications.ts';
import type {Graph, Plot} from '../../graph/graph.ts';
import {leftOut} from '../../results/left-out.ts';
import {readRows} from '../../results/read-artifact.ts';
import {storedArtifact} from '../../results/stored-artifact.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault, printFaults} from '../faults.ts';
import {findPlot} from '../find-plot.ts';
import {printNotStored} from '../not-stored.ts';
import type {Prepared} from '../prepare.ts';
import {quoted, repeatCommand} from '../repeat-command.ts';
import {type ShowOptions, unknownEnding, writeShown} from '../shown.ts';

const nameOf = ({node, artifact}: Plot['tables'][number]): string => `${node}.${artifact}`;

/** The plot that is named, when it can be shown as it is asked for. */
export function readPlotName(graph: Graph, file: string, name: string, options: ShowOptions): Result<Plot> {
  const {format = 'svg', output} = options;
  const found = findPlot(graph, name);
  if (!found.ok) return found;
  const ending = unknownEnding(options);
  if (format !== 'svg' && format !== 'json') {
    const commands = found.value.tables.map((table) =>
      repeatCommand('show', file, [nameOf(table), '--format', format], options),
    );
    const hint = ['Choose svg or json. The rows that it draws:', ...commands.map((command) => `  ${command}`)];
    return fail([commandFault(`A plot is shown as svg or json, not as ${format}.`, hint.join('\n'))]);
  }
  const isPicture = output !== undefined && /\.(png|pdf|jpe?g|gif|webp)$/i.test(output);
  if (format === 'svg' && output !== undefined && (isPicture || ending !== undefined)) {
    const svg = `${output.slice(0, -extname(output).length)}.svg`;
    return fail([commandFault('A plot is drawn as SVG.', `Give --output ${quoted(svg)}`)]);
  }
  if (format === 'svg' && output === undefined && process.stdout.isTTY) {
    const hint = `Give --output ${found.value.name}.svg, or a pipe.`;
    return fail([commandFault('A picture is no text for a terminal.', hint)]);
  }
  return found;
}

/** `show FILE plots.NAME`: the plot, drawn of what is stored; points that failed are not in it. */
export async function showPlot(
  {graph, plan, store}: Prepared,
  plot: Plot,
  file: string,
  options: ShowOptions,
): Promise<number> {
  const tables = new Map<string, Rows>();
  for (const {node, artifact} of plot.tables) {
    const indices = graph.nodes.find(({name}) => name === node)?.instances ?? [];
    const members = indices.flatMap((index) => plan.instances[index] ?? []);
    const stored = await storedArtifact(store, graph, members, artifact);
    const there = stored.ok ? stored.value.members.filter(({record}) => record) : [];
    const rows = stored.ok ? await readRows(store, there, artifact) : stored;
    if (!rows.ok) return printNotStored(rows.error, plot.tables.map(nameOf), file, options);
    tables.set(nameOf({node, artifact}), rows.value);
  }
  for (const sentence of leftOut(plot, tables)) process.stderr.write(`${plot.name}: ${sentence}\n`);
  const shown = await contentOf(plot, (table) => tables.get(table) ?? [], options);
  if (!shown.ok) {
    const message = `The plot "${plot.name}" cannot be drawn: ${shown.error}`;
    printFaults([{code: 'bad-plot', message, hint: VEGA_LITE_REFERENCE}], options.json ?? false);
    return EXIT.failed;
  }
  await writeShown(options.output, shown.value);
  return EXIT.done;
}

async function contentOf(
  plot: Plot,
  rowsOf: (table: string) => Rows,
  {format}: ShowOptions,
): Promise<Result<string, string>> {
  if (format === 'json') {
    const {plotWithRows} = await import('../../graph/compile-plot.ts');
    return ok(`${JSON.stringify(plotWithRows(plot, rowsOf), null, 2)}\n`);
  }
  const {drawPlot} = await import('../../results/draw-plot.ts');
  const drawn = await drawPlot(plot, rowsOf);
  if (!drawn.ok) return drawn;
  for (const warning of drawn.value.warnings) process.stderr.write(`${plot.name}: ${warning}\n`);
  return ok(drawn.value.svg);
}
