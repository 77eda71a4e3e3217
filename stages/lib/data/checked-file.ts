import {createHash} from 'node:crypto';
import {stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {StageError} from '../../../src/stage/define-stage.ts';
import {readPinned} from '../../../src/stage/pinned-files.ts';

/** A file of a data set, whole in memory; messages use `name`, its name without folders. */
export interface DataFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Four times the largest official file; a file is held in memory whole, so a larger one is not even opened. */
const LARGEST_DATA_FILE = 200_000_000;

/** Reads a data file; one that cannot be read, or is far too large, is a StageError. */
export async function readDataFile(folder: string, name: string): Promise<DataFile> {
  const path = join(folder, name);
  try {
    const {size} = await stat(path);
    if (size <= LARGEST_DATA_FILE) return {name, bytes: await readPinned(path)};
    throw new StageError(
      `The data file ${name} in ${basename(folder)} has ${size} bytes; no official one has over ${LARGEST_DATA_FILE}.`,
      'It is another file under this name, or something was added to it: fetch it again from its official source.',
    );
  } catch (error) {
    if (error instanceof StageError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StageError(
      `The data file ${name} in ${basename(folder)} cannot be read (${reason}).`,
      'It was there when the pipeline was planned: put it back, or run again.',
    );
  }
}

/** gzip's magic number, the most usual reason for a file that does not parse: it was never unpacked. */
export function refuseGzip(file: DataFile): void {
  if (file.bytes[0] === 0x1f && file.bytes[1] === 0x8b) {
    throw new StageError(
      `${file.name} is compressed with gzip.`,
      `Unpack it under the same name: mv ${file.name} ${file.name}.gz && gunzip ${file.name}.gz`,
    );
  }
}

/** Compares with the MD5 its publisher gives. */
export function checkMd5(file: DataFile, expected: string, dataSet: string): void {
  const found = createHash('md5').update(file.bytes).digest('hex');
  if (found !== expected) {
    throw new StageError(
      `${file.name} is not the official ${dataSet} file: its MD5 is ${found}, not ${expected}.`,
      'The file is damaged, or is another data set of the same format. Fetch it again from its official source.',
    );
  }
}
