import {writeFile} from 'node:fs/promises';
import {isTableKind} from '../../artifact/kinds.ts';
import {fail, ok, type Result} from '../../base/result.ts';
import {UserError} from '../../base/user-error.ts';
import type {Graph} from '../../graph/graph.ts';
import type {PlannedInstance} from '../../plan/verdict.ts';
import {failedPoints} from '../../results/failed-points.ts';
import {filePreview} from '../../results/file-preview.ts';
import {formatRows, type RowFormat} from '../../results/format-rows.ts';
import {readArtifactBytes, readRows} from '../../results/read-artifact.ts';
import {tensorRows} from '../../results/tensor-rows.ts';
import {type PipelinePlace, placeOf} from '../../store/pipeline-place.ts';
import type {Store} from '../../store/store.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault} from '../faults.ts';
import {type FoundArtifact, findArtifact} from '../find-artifact.ts';
import {printNotStored} from '../not-stored.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

type ShowOptions = PipelineOptions & {readonly format: RowFormat | 'arrow'; readonly output?: string};

/** `show FILE INSTANCE.ARTIFACT`; a node's name instead of an instance shows all its points, axes as columns. */
export const showCommand = (file: string, name: string, options: ShowOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => readReference(graph, name, options),
    async ({graph, plan, store}, {instances, artifact}) => {
      const members = instances.flatMap(({index}) => plan.instances[index] ?? []);
      const shown = await content(store, placeOf(store.root, graph), members, artifact, options);
      if (!shown.ok) return printNotStored(shown.error, file, options);
      if (options.output === undefined) process.stdout.write(shown.value);
      else await writeOutput(options.output, shown.value);
      return EXIT.done;
    },
  );

/** The artifact that is named, when it can be shown as it is asked for. */
function readReference(graph: Graph, name: string, {format, output}: ShowOptions): Result<FoundArtifact> {
  const found = findArtifact(graph, name);
  if (!found.ok) return found;
  const {instances, artifact} = found.value;
  const [first] = instances;
  if (first?.stage.outputs[artifact]?.kind === 'file') {
    if (instances.length === 1) return found;
    const message = `${first.node} has ${instances.length} instances, and a file is of one.`;
    return fail([commandFault(message, `Name one, for example '${first.id}.${artifact}'.`)]);
  }
  if (format === 'arrow' && first && instances.length > 1) {
    const message = `${first.node} has ${instances.length} instances, and an Arrow file is of one.`;
    return fail([commandFault(message, `Name one, for example '${first.id}.${artifact}'.`)]);
  }
  if (format === 'arrow' && output === undefined && process.stdout.isTTY) {
    return fail([commandFault('An Arrow file is no text for a terminal.', 'Give --output PATH, or a pipe.')]);
  }
  return found;
}

async function writeOutput(path: string, bytes: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? 'its folder does not exist' : code === 'EISDIR' ? 'it is a folder' : code;
    throw new UserError(`Cannot write "${path}": ${why}.`, 'Give --output a file in a folder that can be written.');
  }
}

async function content(
  store: Store,
  pipeline: PipelinePlace,
  members: readonly PlannedInstance[],
  artifact: string,
  {format, output: path}: ShowOptions,
): Promise<Result<string | Uint8Array, string>> {
  const failures = await failedPoints(store, pipeline, members, artifact);
  if (!failures.ok) return failures;
  const first = members.find(({record}) => record);
  const output = first?.record?.outputs[artifact];
  if (!first || !output) throw new Error(`Internal error: a record has no "${artifact}"`);
  if (output.kind === 'file' && path === undefined && process.stdout.isTTY) {
    const bytes = await readArtifactBytes(store, first.instance, artifact, output);
    return bytes.ok ? ok(filePreview(bytes.value)) : bytes;
  }
  if (format === 'arrow' || output.kind === 'file') return readArtifactBytes(store, first.instance, artifact, output);
  const rows = isTableKind(output.kind)
    ? await readRows(
        store,
        members.map((member) => ({...member, failure: failures.value.get(member.instance.id)})),
        artifact,
      )
    : await tensorRows(store, members, artifact);
  return rows.ok ? ok(`${formatRows(rows.value, format, process.stdout.columns)}\n`) : rows;
}
