import {createHash, type Hash, randomUUID} from 'node:crypto';
import {type FileHandle, mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {StageError} from '../../../src/stage/define-stage.ts';

/** A file of a repository, as the hub's tree lists it. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** SHA-1 that git has of it; of what lies in large-file storage, that of a pointer. */
  readonly oid?: string;
  readonly lfs?: {readonly oid: string};
}

/** What its content must hash to, and the name of its blob: SHA-256 of a large file, else git's SHA-1. */
function expected({path, size, oid, lfs}: HubFile): {digest: string; hash: Hash} {
  const digest = lfs?.oid ?? oid ?? '';
  if (!(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(digest)) {
    throw new StageError(
      `The hub gives no digest of ${path}.`,
      'Fetch the files by hand, and give the path of their folder.',
    );
  }
  return {digest, hash: lfs ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)};
}

/** What comes of the remote bytes from `from` on. A connection that is cut after it brought some only ends it. */
async function* received(remote: Blob, from: number): AsyncGenerator<Uint8Array> {
  let brought = false;
  try {
    for await (const chunk of remote.slice(from).stream()) {
      brought = true;
      yield chunk;
    }
  } catch (error) {
    if (!brought) throw error;
  }
}

/** Writes the whole of a remote file, going on where a cut connection ended, for as long as each one brings something. */
async function copy(remote: Blob, {path, size}: HubFile, hash: Hash, to: FileHandle): Promise<void> {
  let done = 0;
  while (done < size) {
    const before = done;
    for await (const chunk of received(remote, done)) {
      done += chunk.byteLength;
      if (done > size) break;
      hash.update(chunk);
      await to.writeFile(chunk);
    }
    if (done === before || done > size) {
      const how = done > size ? `more than the ${size} bytes of` : `${done} of the ${size} bytes of`;
      throw new StageError(`The hub sent ${how} ${path}.`, 'Run it again.');
    }
  }
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => found.size,
    () => undefined,
  );

/**
 * Fetches a file into the folder of blobs, unless it is there, and gives its name in it. It appears there whole and checked
 * against its digest, or not at all; two processes at once are fine.
 *
 * @throws StageError when what comes is not what the tree says.
 */
export async function fetchBlob(file: HubFile, blobs: string, request: () => Promise<Blob | null>): Promise<string> {
  const {digest, hash} = expected(file);
  if ((await sizeOf(join(blobs, digest))) === file.size) return digest;
  const remote = await request();
  if (remote === null) throw new StageError(`The hub lists ${file.path} and does not give it.`, 'Run it again.');
  await mkdir(blobs, {recursive: true});
  const part = join(blobs, `${digest}.${randomUUID()}.incomplete`);
  try {
    const to = await open(part, 'wx');
    try {
      await copy(remote, file, hash, to);
      await to.sync();
    } finally {
      await to.close();
    }
    if (hash.digest('hex') !== digest) {
      throw new StageError(
        `What the hub sent for ${file.path} is not that file: its digest is another.`,
        'Run it again; if it stays so, a proxy may answer in its place.',
      );
    }
    await rename(part, join(blobs, digest));
    return digest;
  } finally {
    await rm(part, {force: true});
  }
}
