import {writeFile} from 'node:fs/promises';
import type {Diagnostic} from '../../base/diagnostic.ts';
import {suggestion} from '../../base/nearest.ts';
import type {Instance} from '../../graph/graph.ts';
import type {PlannedInstance} from '../../plan/verdict.ts';
import {formatRows, type RowFormat} from '../../results/format-rows.ts';
import {readArtifactBytes, readRows} from '../../results/read-artifact.ts';
import {tensorRows} from '../../results/tensor-rows.ts';
import type {Store} from '../../store/store.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault, printFaults} from '../faults.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {prepare} from '../prepare.ts';

type ShowOptions = PipelineOptions & {readonly format: RowFormat | 'arrow'; readonly output?: string};

/** `show FILE INSTANCE.ARTIFACT`; a node's name instead of an instance shows all its points, axes as columns. */
export async function showCommand(file: string, reference: string, options: ShowOptions): Promise<number> {
  const json = options.json ?? false;
  const wrong = (faults: readonly Diagnostic[]): number => {
    printFaults(faults, json);
    return EXIT.wrong;
  };
  const prepared = await prepare(file, options, 'look');
  if (!prepared.ok) return wrong(prepared.error);
  const {graph, plan, store} = prepared.value;
  const dot = reference.lastIndexOf('.');
  if (dot <= 0) {
    return wrong([
      commandFault(`"${reference}" names no artifact.`, 'Write INSTANCE.ARTIFACT, for example barrier.summary.'),
    ]);
  }
  const found = findInstances(graph, reference.slice(0, dot));
  if (!found.ok) return wrong(found.error);
  const artifact = reference.slice(dot + 1);
  const outputs = Object.keys(found.value[0]?.stage.outputs ?? {});
  if (!outputs.includes(artifact)) {
    const owner = reference.slice(0, dot);
    return wrong([
      commandFault(`${owner} has no artifact "${artifact}".`, suggestion(artifact, outputs, `artifacts of ${owner}`)),
    ]);
  }
  const members = found.value.flatMap(({index}) => plan.instances[index] ?? []);
  const shown = await content(store, members, artifact, options);
  if (!shown.ok) {
    printFaults([{code: 'not-stored', message: shown.error, hint: `basin run ${file}`}], json);
    return EXIT.failed;
  }
  if (options.output === undefined) process.stdout.write(shown.value);
  else await writeFile(options.output, shown.value);
  return EXIT.done;
}

type Content = {readonly ok: true; readonly value: string | Uint8Array} | {readonly ok: false; readonly error: string};

async function content(
  store: Store,
  members: readonly PlannedInstance[],
  artifact: string,
  {format}: ShowOptions,
): Promise<Content> {
  const [first] = members;
  const output = first?.record?.outputs[artifact];
  if (!first || !output) return {ok: false, error: `${missing(members)} has not run as the pipeline is now.`};
  if (format === 'arrow') {
    if (members.length === 1) return readArtifactBytes(store, first.instance, artifact, output);
    return {
      ok: false,
      error: `${first.instance.node} has ${members.length} instances; name one to have its Arrow file.`,
    };
  }
  const rows =
    output.kind === 'weights' || output.kind === 'mask'
      ? await tensorRows(store, first.instance, artifact, output)
      : await readRows(store, members, artifact);
  return rows.ok ? {ok: true, value: `${formatRows(rows.value, format, process.stdout.columns)}\n`} : rows;
}

const missing = (members: readonly PlannedInstance[]): Instance['id'] | string =>
  members.find(({record}) => !record)?.instance.id ?? 'It';
