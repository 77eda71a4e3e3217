/** `node lease-holder.ts <root> <key>…` takes leases, says so, and holds them until it is killed. */
import {isKey} from '../../src/base/digest.ts';
import {tryLeases} from '../../src/store/lease.ts';

const [root = '', ...keys] = process.argv.slice(2);
if (!keys.every(isKey)) throw new Error('no key');
await tryLeases(root, keys, () => {
  process.stdout.write('held\n');
  return new Promise<void>((resolve) => process.stdin.on('end', resolve).resume());
});
