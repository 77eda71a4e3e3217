import {readFile, stat} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';

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

/** The folder of the local cache, found as huggingface_hub finds it. */
function hubCache(environment: NodeJS.ProcessEnv): string {
  const {HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME} = environment;
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  return join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'hub');
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

export const repositoryFolder = ({owner, name}: HubReference, environment: NodeJS.ProcessEnv): string =>
  join(hubCache(environment), `models--${owner}--${name}`);

/** The snapshot folder of a reference in the local cache; some of its files may be missing. Nothing is fetched. */
export async function findSnapshot(
  reference: HubReference,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const {revision} = reference;
  const repository = repositoryFolder(reference, environment);
  const commit = await readFile(join(repository, 'refs', revision), 'utf8').then(
    (text) => text.trim(),
    () => revision,
  );
  const snapshot = join(repository, 'snapshots', commit);
  return /^[\w.-]+$/.test(commit) && !commit.startsWith('.') && (await isFolder(snapshot)) ? snapshot : undefined;
}
