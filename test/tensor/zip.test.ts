import {createHash, randomBytes} from 'node:crypto';
import {open, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {extractEntry, zipEntries} from '../../stages/tensor/addon/zip.ts';
import {zipOf} from './package-server.ts';
import {scratchFolder} from './scratch-cache.ts';

const opened = async (bytes: Buffer) => {
  const folder = scratchFolder();
  await writeFile(join(folder, 'archive'), bytes);
  return {folder, file: await open(join(folder, 'archive'))};
};

test('files of an archive come out as they went in, empty and large ones too', async () => {
  const files = {
    'a/deep/name.h': '#pragma once\n',
    empty: '',
    large: Buffer.concat([randomBytes(3e6), Buffer.alloc(5e6)]),
  };
  const {folder, file} = await opened(zipOf(files));
  const entries = await zipEntries(file);
  expect(entries.map(({name}) => name).sort()).toEqual(Object.keys(files).sort());
  for (const entry of entries) {
    await extractEntry(file, entry, join(folder, 'out', entry.name));
    const expected = Buffer.from(Object.entries(files).find(([name]) => name === entry.name)?.[1] ?? 'none');
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(digest(await readFile(join(folder, 'out', entry.name)))).toBe(digest(expected));
  }
  await file.close();
});

test('a flipped byte and a cut archive are found', async () => {
  const bytes = zipOf({stored: randomBytes(5000)});
  bytes[2000] = (bytes[2000] ?? 0) ^ 1;
  const {folder, file} = await opened(bytes);
  const [entry] = await zipEntries(file);
  if (!entry) throw new Error('the archive has a file');
  await expect(extractEntry(file, entry, join(folder, 'out'))).rejects.toThrow('damaged');
  await file.close();

  const cut = await opened(bytes.subarray(0, 3000));
  await expect(zipEntries(cut.file)).rejects.toThrow('not a zip archive');
  await cut.file.close();
});
