import {basename, resolve} from 'node:path';
import type {Digest} from '../../src/base/digest.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import type {SourceContext, SourceResolution, SourceResolver} from '../../src/stage/source.ts';
import {type CheckpointFiles, findCheckpoint} from './checkpoint/checkpoint-files.ts';
import {findSnapshot, parseHubReference} from './checkpoint/hub-cache.ts';

/** Values of `source` that name no outside data. */
const WITHOUT_DATA: readonly string[] = ['random', 'upstream'];

/**
 * Digests by the name each file has in a HuggingFace folder. A single weights file counts as model.safetensors whatever it
 * is called, so that renaming it, or taking the same files from the hub, changes no key; shards keep the names that their
 * index calls them by.
 */
async function identityOf(files: CheckpointFiles, context: SourceContext): Promise<Record<string, Digest>> {
  const named: [string, string | undefined][] = [
    ['config.json', files.config],
    ['preprocessor_config.json', files.preprocessor],
    ['model.safetensors.index.json', files.index],
    ...files.weights.map((path): [string, string] => [files.index ? basename(path) : 'model.safetensors', path]),
  ];
  const identity: Record<string, Digest> = {};
  for (const [name, path] of named) if (path !== undefined) identity[name] = await context.digestOfFile(path);
  return identity;
}

async function resolvePath(path: string, shown: string, context: SourceContext): Promise<SourceResolution> {
  const found = await findCheckpoint(path);
  if (!found.ok) {
    const hubName = parseHubReference(`hf:${shown}`) !== undefined && found.error.nothingThere;
    const hint = `${hubName ? `For the model on the hub, write hf:${shown}. ` : ''}${found.error.hint}`;
    return {state: 'unresolved', reason: `${shown}: ${found.error.reason}`, hint};
  }
  return {state: 'resolved', identity: await identityOf(found.value, context), located: path};
}

/**
 * Finds the checkpoint that a `source` parameter names: `random` and `upstream` stand for themselves; a path (relative
 * to the pipeline file) or `hf:owner/name[@revision]` in the local hub cache becomes the digests of its files, and is
 * handed to the stage as an absolute path.
 */
export const resolveCheckpoint: SourceResolver = async (value, context) => {
  if (typeof value !== 'string') throw new Error('Internal error: a checkpoint is named by a string');
  if (WITHOUT_DATA.includes(value)) return {state: 'resolved', identity: value, located: value};
  try {
    if (!value.startsWith('hf:')) return await resolvePath(resolve(context.folder, value), value, context);
    const reference = parseHubReference(value);
    if (reference === undefined) {
      const hint = 'Write hf:owner/name or hf:owner/name@revision.';
      return {state: 'unresolved', reason: `${value} is not the name of a model on the hub.`, hint};
    }
    const snapshot = await findSnapshot(reference);
    if (!snapshot.ok) return {state: 'unresolved', ...snapshot.error};
    return await resolvePath(snapshot.value, value, context);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return {state: 'unresolved', reason: `${value}: ${error.message}`, ...(error.hint && {hint: error.hint})};
  }
};
