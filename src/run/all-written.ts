import {setTimeout as wait} from 'node:timers/promises';

/** Until what this process has printed is in its pipes, which take no more at once than they hold: what is left would be told of the next job. */
export async function allWritten(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    while (stream.writableLength > 0 && !stream.destroyed) await wait(1);
}
