import {appendFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {keyOf, reopened, temporaryFolder} from '../rig/temporary-store.ts';

const PIPELINE = {place: 'p', name: 'p'};

test('a line that a full disk cut takes no later line with it', async () => {
  const root = join(await temporaryFolder(), 'cache');
  const [before, after] = [keyOf({n: 1}), keyOf({n: 2})];
  const first = await reopened(root);
  first.remember(PIPELINE, [{instance: 'a', key: before}]);
  await appendFile(join(root, 'runs', 'remembered.jsonl'), '{"event":"remember","pipeline":"p","insta');
  const second = await reopened(root);
  second.remember(PIPELINE, [{instance: 'b', key: after}]);
  for (const store of [first, second, await reopened(root)])
    expect([...store.lastKeys(PIPELINE, ['a', 'b'])].sort()).toEqual([
      ['a', before],
      ['b', after],
    ]);
});
