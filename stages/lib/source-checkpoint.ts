import {basename, resolve} from 'node:path';
import type {Digest} from '../../src/base/digest.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import type {SourceContext, SourceResolution, SourceResolver} from '../../src/stage/source.ts';
import {type CheckpointFiles, findCheckpoint} from './checkpoint/checkpoint-files.ts';
import {fetchSnapshot} from './checkpoint/fetch-snapshot.ts';
import {findSnapshot, type HubReference, parseHubReference} from './checkpoint/hub-cache.ts';

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

/** The model's files in the local cache, or nothing when they are not all there. */
async function resolveCached(reference: HubReference, context: SourceContext): Promise<SourceResolution | undefined> {
  const snapshot = await findSnapshot(reference, process.env);
  const found = snapshot === undefined ? undefined : await findCheckpoint(snapshot);
  if (snapshot === undefined || !found?.ok) return undefined;
  return {state: 'resolved', identity: await identityOf(found.value, context), located: snapshot};
}

/** As huggingface_hub reads its switches. */
const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '');

async function resolveHub(value: string, context: SourceContext): Promise<SourceResolution> {
  const reference = parseHubReference(value);
  if (reference === undefined) {
    const hint = 'Write hf:owner/name or hf:owner/name@revision.';
    return {state: 'unresolved', reason: `${value} is not the name of a model on the hub.`, hint};
  }
  const cached = await resolveCached(reference, context);
  if (cached !== undefined) return cached;
  const {owner, name, revision} = reference;
  const what = `${owner}/${name} at revision ${revision}`;
  if (!context.mayDownload || isOn(process.env.HF_HUB_OFFLINE)) {
    const reason = `${what} is not in the local HuggingFace cache.`;
    const hint = 'A run fetches it, unless --offline or HF_HUB_OFFLINE forbids it; or give the path of a folder.';
    return {state: 'unresolved', reason, hint};
  }
  await fetchSnapshot(reference, process.env, context.tell ?? (() => {}));
  const fetched = await resolveCached(reference, context);
  if (fetched === undefined) throw new StageError(`${what} is not whole after it was fetched.`, 'Run it again.');
  return fetched;
}

/**
 * Finds the checkpoint that a `source` parameter names: `random` and `upstream` stand for themselves; a path (relative
 * to the pipeline file) or `hf:owner/name[@revision]` becomes the digests of its files, and is handed to the stage as an
 * absolute path. What the local hub cache has is taken from there without asking; what it lacks is fetched into it.
 */
export const resolveCheckpoint: SourceResolver = async (value, context) => {
  if (typeof value !== 'string') throw new Error('Internal error: a checkpoint is named by a string');
  if (WITHOUT_DATA.includes(value)) return {state: 'resolved', identity: value, located: value};
  try {
    return value.startsWith('hf:')
      ? await resolveHub(value, context)
      : await resolvePath(resolve(context.folder, value), value, context);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return {state: 'unresolved', reason: `${value}: ${error.message}`, ...(error.hint && {hint: error.hint})};
  }
};
