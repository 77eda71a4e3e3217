import {randomUUID} from 'node:crypto';
import {mkdir, rename, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {StageError} from '../../../src/stage/define-stage.ts';
import {CONFIG, INDEX, PREPROCESSOR, shardsOf, WEIGHTS} from './checkpoint-files.ts';
import {type HubReference, markAbsent, repositoryFolder, type Snapshot, snapshotOf} from './hub-cache.ts';
import {fetchBlob, type HubFile} from './hub-download.ts';
import {hubToken} from './hub-environment.ts';
import {hubFault} from './hub-fault.ts';

/** Sends the token to the hub itself, and to no host that it redirects to. */
function authorized(hubUrl: string, token: string | undefined): typeof fetch {
  if (!token) return fetch;
  const {origin} = new URL(hubUrl);
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) return fetch(input, init);
    const headers = new Headers(init?.headers);
    headers.set('Authorization', `Bearer ${token}`);
    return fetch(input, {...init, headers});
  };
}

/** A file under its name in the snapshot's folder is a link to its blob, as huggingface_hub has it. */
async function link(snapshot: string, name: string, blob: string): Promise<void> {
  const made = join(snapshot, `.${randomUUID()}`);
  await mkdir(snapshot, {recursive: true});
  try {
    await symlink(join('..', '..', 'blobs', blob), made);
    await rename(made, join(snapshot, name));
  } finally {
    await rm(made, {force: true});
  }
}

const holds = (path: string, {size}: HubFile): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile() && found.size === size,
    () => false,
  );

async function writeRef(path: string, commit: string): Promise<void> {
  const made = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), {recursive: true});
  await writeFile(made, commit);
  await rename(made, path);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/** What a checkpoint needs of a repository's files, but for the shards that an index names. */
function neededFiles(listed: ReadonlyMap<string, HubFile>, name: string): readonly string[] {
  const weights = [WEIGHTS, INDEX].find((file) => listed.has(file));
  if (weights !== undefined) return [CONFIG, ...(listed.has(PREPROCESSOR) ? [PREPROCESSOR] : []), weights];
  throw new StageError(
    `${name} has no ${WEIGHTS} and no ${INDEX}.`,
    'Only safetensors can be read: choose another revision, or save the checkpoint again with save_pretrained(folder).',
  );
}

/** The hub was asked, so a cache that cannot be written to only means that it is asked again next time. */
async function noteAbsent(snapshot: Snapshot, tell: (line: string) => void): Promise<void> {
  try {
    await markAbsent(snapshot, PREPROCESSOR);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    tell(`That the model has no ${PREPROCESSOR} cannot be noted in the local cache (${why}).`);
  }
}

/**
 * Fetches the files of a checkpoint into the local HuggingFace cache, where huggingface_hub finds them too; what is there already is
 * not fetched again. The branch or tag names the commit only when all of them are there. That there is no preprocessor is noted.
 *
 * @throws StageError when the hub cannot be reached, refuses, or holds no safetensors.
 */
export async function fetchSnapshot(
  reference: HubReference,
  environment: NodeJS.ProcessEnv,
  tell: (line: string) => void,
): Promise<Snapshot> {
  const {revision} = reference;
  const token = await hubToken(environment);
  const repo = {type: 'model', name: `${reference.owner}/${reference.name}`} as const;
  const hub = await import('@huggingface/hub');
  const hubUrl = (environment.HF_ENDPOINT || hub.HUB_URL).replace(/\/+$/, '');
  try {
    const connection = {hubUrl, fetch: authorized(hubUrl, token?.value)};
    const {sha} = await hub.modelInfo({name: repo.name, revision, additionalFields: ['sha'], ...connection});
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new StageError(`${hubUrl} names no commit of ${repo.name}.`);
    const listed = new Map<string, HubFile>();
    for await (const entry of hub.listFiles({repo, revision: sha, ...connection})) listed.set(entry.path, entry);
    const repository = repositoryFolder(reference, environment);
    const snapshot = snapshotOf(repository, sha);
    const get = async (path: string): Promise<void> => {
      const file = listed.get(path);
      if (file === undefined) {
        throw new StageError(`${repo.name} has no ${path}.`, 'Choose another revision, or give the path of a folder.');
      }
      if (await holds(join(snapshot.folder, path), file)) return;
      const request = (): Promise<Blob | null> => {
        tell(`Fetching ${path} of ${repo.name} (${megabytes(file.size)}) from ${hubUrl}`);
        return hub.downloadFile({repo, path, revision: sha, xet: false, ...connection});
      };
      await link(snapshot.folder, path, await fetchBlob(file, join(repository, 'blobs'), request));
    };
    const needed = neededFiles(listed, repo.name);
    for (const path of needed) await get(path);
    if (needed.includes(INDEX)) for (const shard of await shardsOf(join(snapshot.folder, INDEX))) await get(shard);
    if (!listed.has(PREPROCESSOR)) await noteAbsent(snapshot, tell);
    if (revision !== sha) await writeRef(join(repository, 'refs', revision), sha);
    return snapshot;
  } catch (error) {
    throw hubFault(error, {hubUrl, model: repo.name, revision, tokenFrom: token?.from});
  }
}
