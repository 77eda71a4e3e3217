// A process that discards a damaged blob of a store and says how much memory it has had at most, in bytes.
import {isDigest} from '../../src/base/digest.ts';
import {openStore} from '../../src/store/open-store.ts';

const [root = '', digest = ''] = process.argv.slice(2);
if (!isDigest(digest)) throw new Error(`${digest} is no digest`);
const store = await openStore(root);
await store.discardBlob(digest);
await store.close();
process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
