/** `node lease-holder.ts <root> <key>` takes a lease, says so, and holds it until it is killed. */
import {isKey} from '../../src/base/digest.ts';
import {withLease} from '../../src/store/lease.ts';

const [root = '', key = ''] = process.argv.slice(2);
if (!isKey(key)) throw new Error('no key');
await withLease(root, key, () => {
  process.stdout.write('held\n');
  return new Promise<void>((resolve) => process.stdin.on('end', resolve).resume());
});
