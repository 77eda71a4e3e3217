import {basename, resolve} from 'node:path';
import type {Digest} from '../../src/base/digest.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import type {SourceContext, SourceResolution, SourceResolver} from '../../src/stage/source.ts';
import {type CheckpointFiles, findCheckpoint, PREPROCESSOR} from './checkpoint/checkpoint-files.ts';
import {fetchSnapshot} from './checkpoint/fetch-snapshot.ts';
import {
  findSnapshot,
  type HubReference,
  isKnownAbsent,
  parseHubReference,
  type Snapshot,
} from './checkpoint/hub-cache.ts';
import {isOn} from './checkpoint/hub-environment.ts';
import {readObject} from './checkpoint/read-json.ts';
import {classNamesOf} from './checkpoint/vit-checkpoint-config.ts';

/** Values of `source` that name no outside data. */
const WITHOUT_DATA: readonly string[] = ['random', 'upstream'];

/** Whether config.json names its classes; one that cannot be read is for the stage to refuse. */
async function namesClasses(config: string): Promise<boolean> {
  try {
    return classNamesOf(await readObject(config)) !== undefined;
  } catch (error) {
    if (error instanceof StageError) return false;
    throw error;
  }
}

/**
 * Digests by the name each file has in a HuggingFace folder. A single weights file counts as model.safetensors whatever it
 * is called, so that renaming it, or taking the same files from the hub, changes no key; shards keep the names that their
 * index calls them by. Weights carry the names of classes since 2026-11-30, so results from before must not serve where there are any.
 */
async function identityOf(files: CheckpointFiles, context: SourceContext): Promise<JsonObject> {
  const named: [string, string | undefined][] = [
    ['config.json', files.config],
    ['preprocessor_config.json', files.preprocessor],
    ['model.safetensors.index.json', files.index],
    ...files.weights.map((path): [string, string] => [files.index ? basename(path) : 'model.safetensors', path]),
  ];
  const identity: Record<string, Digest> = {};
  for (const [name, path] of named) if (path !== undefined) identity[name] = await context.digestOfFile(path);
  return (await namesClasses(files.config)) ? {...identity, 'class names': 'kept'} : identity;
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

/** What the local cache has of a model. */
interface Cached {
  readonly snapshot: Snapshot;
  readonly files: CheckpointFiles;
  /** No preprocessor is there, and the model may have one: other tools fetch the weights alone. */
  readonly half: boolean;
}

/** The model's files in the local cache, or nothing when configuration and weights are not all there. */
async function findCached(reference: HubReference): Promise<Cached | undefined> {
  const snapshot = await findSnapshot(reference, process.env);
  const found = snapshot === undefined ? undefined : await findCheckpoint(snapshot.folder);
  if (snapshot === undefined || !found?.ok) return undefined;
  const half = found.value.preprocessor === undefined && !(await isKnownAbsent(snapshot, PREPROCESSOR));
  return {snapshot, files: found.value, half};
}

/** What the cache lacks, and how a person comes by it. */
function lacking({owner, name, revision}: HubReference, cached: Cached | undefined): {reason: string; hint: string} {
  const what = `${owner}/${name} at revision ${revision}`;
  if (cached === undefined) {
    return {
      reason: `${what} is not in the local HuggingFace cache.`,
      hint: 'A run fetches it, unless --offline or HF_HUB_OFFLINE forbids it; or give the path of a folder.',
    };
  }
  const {commit, folder} = cached.snapshot;
  return {
    reason: `${what} is in the local HuggingFace cache without ${PREPROCESSOR}, and the cache does not say whether the model has one.`,
    hint: `A run asks the hub for it, unless --offline or HF_HUB_OFFLINE forbids it, and so does \`hf download ${owner}/${name} ${PREPROCESSOR} --revision ${commit}\`. To do without, give the path of the folder: ${folder}`,
  };
}

/** Of a half-filled snapshot the very commit is completed: a branch may have moved, and the weights are not to change by it. */
async function fetchLacking(reference: HubReference, cached: Cached | undefined, context: SourceContext) {
  const tell = context.tell ?? (() => {});
  if (cached === undefined) return fetchSnapshot(reference, process.env, tell);
  try {
    return await fetchSnapshot({...reference, revision: cached.snapshot.commit}, process.env, tell);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const {reason, hint} = lacking(reference, cached);
    throw new StageError(`${reason} ${error.message}`, error.hint === undefined ? hint : `${error.hint} ${hint}`);
  }
}

async function resolveHub(value: string, context: SourceContext): Promise<SourceResolution> {
  const reference = parseHubReference(value);
  if (reference === undefined) {
    const hint = 'Write hf:owner/name or hf:owner/name@revision.';
    return {state: 'unresolved', reason: `${value} is not the name of a model on the hub.`, hint};
  }
  const cached = await findCached(reference);
  if (cached !== undefined && !cached.half) {
    return {state: 'resolved', identity: await identityOf(cached.files, context), located: cached.snapshot.folder};
  }
  if (!context.mayDownload || isOn(process.env.HF_HUB_OFFLINE)) {
    return {state: 'unresolved', ...lacking(reference, cached)};
  }
  const {folder} = await fetchLacking(reference, cached, context);
  const fetched = await findCheckpoint(folder);
  if (!fetched.ok) throw new StageError(`${value} is not whole after it was fetched.`, 'Run it again.');
  return {state: 'resolved', identity: await identityOf(fetched.value, context), located: folder};
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
