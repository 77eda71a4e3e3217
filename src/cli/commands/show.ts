import {writeFile} from 'node:fs/promises';
import {suggestion} from '../../base/nearest.ts';
import {fail, ok, type Result} from '../../base/result.ts';
import type {Graph, Instance} from '../../graph/graph.ts';
import type {PlannedInstance} from '../../plan/verdict.ts';
import {formatRows, type RowFormat} from '../../results/format-rows.ts';
import {readArtifactBytes, readRows} from '../../results/read-artifact.ts';
import {tensorRows} from '../../results/tensor-rows.ts';
import type {Store} from '../../store/store.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault, printFaults} from '../faults.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

type ShowOptions = PipelineOptions & {readonly format: RowFormat | 'arrow'; readonly output?: string};

/** `show FILE INSTANCE.ARTIFACT`; a node's name instead of an instance shows all its points, axes as columns. */
export const showCommand = (file: string, reference: string, options: ShowOptions): Promise<number> =>
  withPrepared(file, options, 'look', async ({graph, plan, store}) => {
    const json = options.json ?? false;
    const found = findArtifact(graph, reference);
    if (!found.ok) {
      printFaults(found.error, json);
      return EXIT.wrong;
    }
    const members = found.value.instances.flatMap(({index}) => plan.instances[index] ?? []);
    const shown = await content(store, members, found.value.artifact, options);
    if (!shown.ok) {
      printFaults([{code: 'not-stored', message: shown.error, hint: `Run it: basin run ${file}`}], json);
      return EXIT.failed;
    }
    if (options.output === undefined) process.stdout.write(shown.value);
    else await writeFile(options.output, shown.value);
    return EXIT.done;
  });

function findArtifact(
  graph: Graph,
  reference: string,
): Result<{readonly instances: readonly Instance[]; readonly artifact: string}> {
  const dot = reference.lastIndexOf('.');
  if (dot <= 0) {
    const hint = 'Write INSTANCE.ARTIFACT, for example barrier.summary.';
    return fail([commandFault(`"${reference}" names no artifact.`, hint)]);
  }
  const owner = reference.slice(0, dot);
  const artifact = reference.slice(dot + 1);
  const found = findInstances(graph, owner);
  if (!found.ok) return found;
  const outputs = Object.keys(found.value[0]?.stage.outputs ?? {});
  if (outputs.includes(artifact)) return ok({instances: found.value, artifact});
  const hint = suggestion(artifact, outputs, `artifacts of ${owner}`);
  return fail([commandFault(`${owner} has no artifact "${artifact}".`, hint)]);
}

async function content(
  store: Store,
  members: readonly PlannedInstance[],
  artifact: string,
  {format}: ShowOptions,
): Promise<Result<string | Uint8Array, string>> {
  const [first] = members;
  const output = first?.record?.outputs[artifact];
  if (!first || !output) return fail(`${missing(members)} has not run as the pipeline is now.`);
  if (format === 'arrow') {
    if (members.length === 1) return readArtifactBytes(store, first.instance, artifact, output);
    return fail(`${first.instance.node} has ${members.length} instances; name one to have its Arrow file.`);
  }
  const rows =
    output.kind === 'weights' || output.kind === 'mask'
      ? await tensorRows(store, first.instance, artifact, output)
      : await readRows(store, members, artifact);
  return rows.ok ? ok(`${formatRows(rows.value, format, process.stdout.columns)}\n`) : rows;
}

const missing = (members: readonly PlannedInstance[]): Instance['id'] | string =>
  members.find(({record}) => !record)?.instance.id ?? 'It';
