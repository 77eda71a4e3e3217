/** A driver of its own: `node publisher.ts <root> <name> <how many>` publishes keys 0… with texts that carry its name. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOf} from '../../src/base/digest.ts';
import {keyOfPreimage} from '../../src/plan/key.ts';
import {openStore} from '../../src/store/open-store.ts';

const [root = '', name = '', count = '0'] = process.argv.slice(2);
const store = await openStore(root);
for (let number = 0; number < Number(count); number++) {
  const preimage = {format: 1, stage: 'counting', version: 1, params: {number}, inputs: {}};
  const draft = join(await store.draftFolder(), 'out');
  const text = `${name} ${number}`;
  await writeFile(draft, text);
  const out = {kind: 'weights', digest: digestOf(text), bytes: text.length, draft} as const;
  const record = await store.publish({key: keyOfPreimage(preimage), preimage, outputs: {out}, seconds: 0});
  store.remember({place: 'pipeline', name: 'pipeline'}, [{instance: `${name}-${number}`, key: record.key}]);
  process.stdout.write(`${record.outputs.out?.digest}\n`);
}
if (process.argv[5] === 'die') process.kill(process.pid, 'SIGKILL');
await store.close();
