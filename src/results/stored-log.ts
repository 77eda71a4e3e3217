import {LOG_OUTPUT} from '../stage/command-stage.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {readStored} from './read-stored.ts';

/** What a program wrote when it gave the result that is stored, a string a line; nothing for other instances, and when it is gone. */
export async function storedLog(store: Store, record: StoreRecord | undefined): Promise<readonly string[] | undefined> {
  const log = record?.outputs[LOG_OUTPUT];
  if (log?.kind !== 'file') return undefined;
  const bytes = await readStored(store, log.digest);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const written = new TextDecoder().decode(bytes).split('\n');
  if (written.at(-1) === '') written.pop();
  return written;
}
