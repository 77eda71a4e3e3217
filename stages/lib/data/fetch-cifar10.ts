import {createHash, randomUUID} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createGunzip} from 'node:zlib';
import {StageError} from '../../../src/stage/define-stage.ts';
import {CIFAR10_BATCH_BYTES, CIFAR10_FILES, CIFAR10_FOLDER} from './cifar10.ts';
import {readTar} from './tar.ts';

/** Where the archive is published, and the MD5 given beside it. */
const CIFAR10_ARCHIVE = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
} as const;

/**
 * Fetches the official archive into `root`/cifar-10-batches-bin. The folder appears whole or not at all: everything is
 * written under a temporary name beside it and renamed. Two processes at once are fine; the later one gives way.
 *
 * @throws StageError when the site cannot be reached, or sends something else.
 */
export async function fetchCifar10(
  root: string,
  archive: {readonly url: string; readonly md5: string} = CIFAR10_ARCHIVE,
): Promise<void> {
  const work = join(root, `.cifar-10-${randomUUID()}`);
  await mkdir(join(work, CIFAR10_FOLDER), {recursive: true});
  try {
    const packed = join(work, 'archive.tar.gz');
    await download(archive.url, archive.md5, packed);
    await unpack(packed, join(work, CIFAR10_FOLDER));
    await rename(join(work, CIFAR10_FOLDER), join(root, CIFAR10_FOLDER)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, {recursive: true, force: true});
  }
}

async function download(url: string, md5: string, path: string): Promise<void> {
  const response = await fetch(url).catch((error: unknown) => {
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    throw new StageError(
      `CIFAR-10 cannot be fetched from ${url}: ${reason}.`,
      'Check the network, or fetch it by hand and unpack it in root.',
    );
  });
  if (!response.ok || !response.body) {
    throw new StageError(
      `CIFAR-10 cannot be fetched from ${url}: the site answers ${response.status}.`,
      'Fetch it by hand and unpack it in root.',
    );
  }
  const hash = createHash('md5');
  const file = await open(path, 'wx');
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const found = hash.digest('hex');
  if (found !== md5) {
    throw new StageError(
      `What ${url} sent is not CIFAR-10: its MD5 is ${found}, not ${md5}.`,
      'Run again; if it stays so, a proxy may answer in its place.',
    );
  }
}

/** Writes the archive's data files; whatever else it holds, and wherever its paths point, is left out. */
async function unpack(packed: string, folder: string): Promise<void> {
  const names = new Map(Object.keys(CIFAR10_FILES).map((name) => [`${CIFAR10_FOLDER}/${name}`, name]));
  const stream = createReadStream(packed).pipe(createGunzip());
  for await (const {path, bytes} of readTar(stream, (entry, size) => names.has(entry) && size <= CIFAR10_BATCH_BYTES)) {
    await writeFile(join(folder, names.get(path) ?? path), bytes, {flush: true});
  }
}
