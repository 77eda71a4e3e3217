import {isTableKind} from '../../artifact/kinds.ts';
import {fail, ok, type Result} from '../../base/result.ts';
import type {Graph, Plot} from '../../graph/graph.ts';
import type {PlannedInstance} from '../../plan/verdict.ts';
import {filePreview} from '../../results/file-preview.ts';
import {formatRows} from '../../results/format-rows.ts';
import {type NotReadable, readArtifactBytes, readRows} from '../../results/read-artifact.ts';
import {storedArtifact} from '../../results/stored-artifact.ts';
import {tensorRows} from '../../results/tensor-rows.ts';
import type {Store} from '../../store/store.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault} from '../faults.ts';
import {type FoundArtifact, findArtifact} from '../find-artifact.ts';
import {namesPlot} from '../find-plot.ts';
import {printNotStored} from '../not-stored.ts';
import {type Prepared, withPrepared} from '../prepare.ts';
import {quoted} from '../repeat-command.ts';
import {type ShowOptions, unknownEnding, withFormat, withFormatOfFile, writeShown} from '../shown.ts';
import {readPlotName, showPlot} from './show-plot.ts';

type Shown = {readonly options: ShowOptions} & (
  | {readonly plot: Plot}
  | {readonly plot: undefined; readonly found: FoundArtifact}
);

/** `show FILE INSTANCE.ARTIFACT`, where a node's name instead of an instance shows all its points, axes as columns; or `show FILE plots.NAME`. */
export const showCommand = (file: string, name: string, options: ShowOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => readName(graph, file, name, options),
    (prepared, shown) =>
      shown.plot
        ? showPlot(prepared, shown.plot, file, shown.options)
        : showArtifact(prepared, shown.found, name, file, shown.options),
  );

function readName(graph: Graph, file: string, name: string, given: ShowOptions): Result<Shown> {
  const asked = withFormat(given);
  if (!asked.ok) return asked;
  const options = withFormatOfFile(asked.value);
  if (namesPlot(graph, name)) {
    const plot = readPlotName(graph, file, name, options);
    return plot.ok ? ok({options, plot: plot.value}) : plot;
  }
  const found = readReference(graph, name, options);
  return found.ok ? ok({options, plot: undefined, found: found.value}) : found;
}

async function showArtifact(
  {graph, plan, store}: Prepared,
  {instances, artifact}: FoundArtifact,
  name: string,
  file: string,
  options: ShowOptions,
): Promise<number> {
  const members = instances.flatMap(({index}) => plan.instances[index] ?? []);
  const shown = await content(store, graph, members, artifact, options);
  if (!shown.ok) return printNotStored(shown.error, [name], file, options);
  await writeShown(options.output, shown.value);
  return EXIT.done;
}

/** The artifact that is named, when it can be shown as it is asked for. */
function readReference(graph: Graph, name: string, options: ShowOptions): Result<FoundArtifact> {
  const {format, output} = options;
  const found = findArtifact(graph, name);
  if (!found.ok) return found;
  const {instances, artifact} = found.value;
  const [first] = instances;
  const isFile = first?.stage.outputs[artifact]?.kind === 'file';
  const ending = isFile ? undefined : unknownEnding(options);
  if (ending !== undefined) {
    const hint = 'Give a name that ends in .txt, .csv, .json or .arrow, or --format.';
    return fail([commandFault(`A file that ends in "${ending}" says no format.`, hint)]);
  }
  if (format === 'svg' && !isFile) {
    return fail([
      commandFault(`${name} is no plot, which is what can be drawn.`, 'Write plots.NAME, of "plots" in the file.'),
    ]);
  }
  if (first && isFile) {
    if (instances.length === 1) return found;
    const message = `${first.node} has ${instances.length} instances, and a file is of one.`;
    return fail([commandFault(message, `Name one, for example ${quoted(`${first.id}.${artifact}`)}.`)]);
  }
  if (format === 'arrow' && first && instances.length > 1) {
    const message = `${first.node} has ${instances.length} instances, and an Arrow file is of one.`;
    return fail([commandFault(message, `Name one, for example ${quoted(`${first.id}.${artifact}`)}.`)]);
  }
  if (format === 'arrow' && output === undefined && process.stdout.isTTY) {
    return fail([commandFault('An Arrow file is no text for a terminal.', 'Give --output PATH, or a pipe.')]);
  }
  return found;
}

async function content(
  store: Store,
  graph: Graph,
  planned: readonly PlannedInstance[],
  artifact: string,
  {format = 'table', output: path}: ShowOptions,
): Promise<Result<string | Uint8Array, NotReadable>> {
  const stored = await storedArtifact(store, graph, planned, artifact);
  if (!stored.ok) return stored;
  const {members, first, output} = stored.value;
  if (output.kind === 'file' && path === undefined && process.stdout.isTTY) {
    const bytes = await readArtifactBytes(store, first.instance, artifact, output);
    return bytes.ok ? ok(filePreview(bytes.value)) : bytes;
  }
  if (format === 'arrow' || format === 'svg' || output.kind === 'file')
    return readArtifactBytes(store, first.instance, artifact, output);
  const rows = isTableKind(output.kind)
    ? await readRows(store, members, artifact)
    : await tensorRows(store, members, artifact);
  return rows.ok ? ok(`${formatRows(rows.value, format, process.stdout.columns)}\n`) : rows;
}
