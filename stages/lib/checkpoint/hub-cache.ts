import {mkdir, open, readFile, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {isJsonObject, type JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {hubCache} from './hub-environment.ts';
import {readObject} from './read-json.ts';

/** `hf:owner/name[@revision]`; the revision is a branch, a tag, `refs/pr/N` or a commit. */
export interface HubReference {
  readonly owner: string;
  readonly name: string;
  readonly revision: string;
}

const PART = '[A-Za-z0-9_][A-Za-z0-9_.-]*';
const REFERENCE = new RegExp(`^hf:(?<owner>${PART})/(?<name>${PART})(?:@(?<revision>${PART}(?:/${PART})*))?$`);

export function parseHubReference(text: string): HubReference | undefined {
  const {owner, name, revision = 'main'} = REFERENCE.exec(text)?.groups ?? {};
  return owner === undefined || name === undefined ? undefined : {owner, name, revision};
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

export const repositoryFolder = ({owner, name}: HubReference, environment: NodeJS.ProcessEnv): string =>
  join(hubCache(environment), `models--${owner}--${name}`);

/** A commit of a model in the local cache. */
export interface Snapshot {
  /** Of the model, with blobs, refs and snapshots in it. */
  readonly repository: string;
  readonly commit: string;
  /** With the commit's files under their names, as far as they were fetched. */
  readonly folder: string;
}

export const snapshotOf = (repository: string, commit: string): Snapshot => ({
  repository,
  commit,
  folder: join(repository, 'snapshots', commit),
});

/** The snapshot of a reference in the local cache; some of its files may be missing. Nothing is fetched. */
export async function findSnapshot(
  reference: HubReference,
  environment: NodeJS.ProcessEnv,
): Promise<Snapshot | undefined> {
  const {revision} = reference;
  const repository = repositoryFolder(reference, environment);
  const commit = await readFile(join(repository, 'refs', revision), 'utf8').then(
    (text) => text.trim(),
    () => revision,
  );
  if (!/^[\w.-]+$/.test(commit) || commit.startsWith('.')) return undefined;
  const snapshot = snapshotOf(repository, commit);
  return (await isFolder(snapshot.folder)) ? snapshot : undefined;
}

/** An empty file here says that the commit has no file of this name: huggingface_hub's `_CACHED_NO_EXIST`. */
const absenceMark = ({repository, commit}: Snapshot, file: string): string =>
  join(repository, '.no_exist', commit, file);

/** The names of a commit's files, where huggingface_hub has kept the list (its _tree_cache.py); one that cannot be read is none. */
async function listedIn({repository, commit}: Snapshot): Promise<JsonObject | undefined> {
  const path = join(repository, 'trees', `${commit}.json`);
  try {
    await stat(path);
    const {format_version, files} = await readObject(path);
    return format_version === 1 && isJsonObject(files) ? files : undefined;
  } catch (error) {
    if (error instanceof StageError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}

/** Whether the cache knows that the commit has no such file; else the file may just not have been asked for yet. */
export async function isKnownAbsent(snapshot: Snapshot, file: string): Promise<boolean> {
  const marked = await stat(absenceMark(snapshot, file)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (marked) return true;
  const listed = await listedIn(snapshot);
  return listed !== undefined && !Object.hasOwn(listed, file);
}

/** Notes that the commit has no such file, where huggingface_hub notes it too. */
export async function markAbsent(snapshot: Snapshot, file: string): Promise<void> {
  const path = absenceMark(snapshot, file);
  await mkdir(dirname(path), {recursive: true});
  await (await open(path, 'a')).close();
}
