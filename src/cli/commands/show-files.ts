import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fail, ok, type Result} from '../../base/result.ts';
import {UserError} from '../../base/user-error.ts';
import type {Graph, Instance} from '../../graph/graph.ts';
import {readArtifactBytes} from '../../results/read-artifact.ts';
import {artifactFileName} from '../../stage/artifact-file-name.ts';
import type {StoreRecord} from '../../store/record.ts';
import {EXIT} from '../exit-code.ts';
import {commandFault} from '../faults.ts';
import {findInstances} from '../find-instance.ts';
import {printNotStored} from '../not-stored.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';
import {quoted} from '../repeat-command.ts';

/**
 * `show FILE INSTANCE --to FOLDER`: every artifact of an instance as a file of its own, under the name that a program of the
 * pipeline would see, so that those of `export` are a folder as HuggingFace has it.
 */
export const showFilesCommand = (
  file: string,
  name: string,
  folder: string,
  options: PipelineOptions,
): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => oneInstance(graph, name),
    async ({plan, store}, instance) => {
      const {record} = plan.instances[instance.index] ?? {};
      if (!record) {
        const message = `${instance.id} has not run as the pipeline is now.`;
        return printNotStored({message, isGone: false}, [], file, options);
      }
      for (const [artifact, output] of Object.entries(record.outputs)) {
        const bytes = await readArtifactBytes(store, instance, artifact, output);
        if (!bytes.ok) return printNotStored(bytes.error, namesOf(record, instance), file, options);
        const declaration = instance.stage.outputs[artifact] ?? output;
        await write(folder, artifactFileName(artifact, declaration), bytes.value);
      }
      return EXIT.done;
    },
  );

const namesOf = ({outputs}: StoreRecord, {id}: Instance): readonly string[] =>
  Object.keys(outputs).map((artifact) => `${id}.${artifact}`);

function oneInstance(graph: Graph, name: string): Result<Instance> {
  const found = findInstances(graph, name);
  if (!found.ok) return found;
  const [first] = found.value;
  if (first && found.value.length === 1) return ok(first);
  const message = `${name} has ${found.value.length} instances, and a folder is of one.`;
  return fail([commandFault(message, first && `Name one, for example ${quoted(first.id)}.`)]);
}

async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, {recursive: true});
    await writeFile(join(folder, name), bytes);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in the place of the folder' : code;
    throw new UserError(`Cannot write ${name} to "${folder}": ${why}.`, 'Give --to a folder that can be written.');
  }
}
