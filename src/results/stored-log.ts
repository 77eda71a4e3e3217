import {open} from 'node:fs/promises';
import {LOG_OUTPUT} from '../stage/command-stage.ts';
import {lineSplitter} from '../stage/log-lines.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {checkStored} from './read-stored.ts';

const PIECE = 2 ** 16;

/**
 * What a program wrote when it gave the result that is stored, some lines at a time; nothing for other instances, and when it is gone.
 *
 * @param longest Of a line, in bytes.
 */
export async function storedLog(
  store: Store,
  record: StoreRecord | undefined,
  longest: number,
): Promise<AsyncIterable<readonly string[]> | undefined> {
  const log = record?.outputs[LOG_OUTPUT];
  if (log?.kind !== 'file' || (await checkStored(store, log.digest)) !== 'whole') return undefined;
  return linesOf(store.blobPath(log.digest), longest);
}

async function* linesOf(path: string, longest: number): AsyncGenerator<readonly string[]> {
  const {split, rest} = lineSplitter(longest);
  const file = await open(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (;;) {
      const {bytesRead} = await file.read(piece, 0, PIECE);
      if (bytesRead === 0) break;
      yield split(piece.subarray(0, bytesRead));
    }
    yield rest();
  } finally {
    await file.close();
  }
}
