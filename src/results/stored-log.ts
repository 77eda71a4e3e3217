import {LOG_OUTPUT} from '../stage/command-stage.ts';
import {lineSplitter} from '../stage/log-lines.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {readStored} from './read-stored.ts';

/**
 * What a program wrote when it gave the result that is stored, line by line; nothing for other instances, and when it is gone.
 *
 * @param longest Of a line, in bytes.
 */
export async function storedLog(
  store: Store,
  record: StoreRecord | undefined,
  longest: number,
): Promise<Iterable<string> | undefined> {
  const log = record?.outputs[LOG_OUTPUT];
  if (log?.kind !== 'file') return undefined;
  const bytes = await readStored(store, log.digest);
  return bytes instanceof Uint8Array ? linesOf(bytes, longest) : undefined;
}

function* linesOf(bytes: Uint8Array, longest: number): Generator<string> {
  const {split, rest} = lineSplitter(longest);
  yield* split(bytes);
  yield* rest();
}
