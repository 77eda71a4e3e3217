import {chmod, stat} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {draftOf, temporaryStore} from '../rig/temporary-store.ts';

const preimage = (number: number) => ({format: 1, stage: 'seven', version: 1, params: {number}, inputs: {}});

test.each([
  ['002', 0o444],
  ['027', 0o440],
  ['077', 0o400],
])(
  'under the umask %s a payload has rights of its own, whatever its draft had, and runs where that did',
  async (umask, mode) => {
    const before = process.umask(umask);
    try {
      const store = await temporaryStore();
      for (const [drafted, runs] of [
        [0o600, 0],
        [0o444, 0],
        [0o666, 0],
        [0o755, 0o111],
        [0o700, 0o100],
      ] as const) {
        const draft = await draftOf(store, preimage(drafted), {weights: `of ${drafted}`});
        await chmod(draft.outputs.weights?.draft ?? '', drafted);
        const {outputs} = await store.publish(draft);
        const path = store.blobPath(outputs.weights?.digest ?? digestOf(''));
        expect((await stat(path)).mode & 0o7777, String(drafted)).toBe(mode | runs);
      }
    } finally {
      process.umask(before);
    }
  },
);

test('a payload that others could not read is read by them once the same bytes are given again', async () => {
  const store = await temporaryStore();
  const blob = store.blobPath(digestOf('text'));
  for (const number of [1, 2]) {
    await store.publish(await draftOf(store, preimage(number), {weights: 'text'}));
    if (number === 1) await chmod(blob, 0o400);
  }
  expect((await stat(blob)).mode & 0o444).toBe(0o444 & ~process.umask());
});
