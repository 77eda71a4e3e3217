import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isStampedFor} from './stamp.mjs';

async function packagesIn(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds everything the lock file asks for: by our stamp, else by the list npm writes last into
 * node_modules. So packages that someone installed with npm itself are taken as they are, and a half-done install is not.
 */
export async function packagesAreCurrent(root) {
  if (await isStampedFor(root)) return true;
  const wanted = await packagesIn(join(root, 'package-lock.json'));
  const present = await packagesIn(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, {version, optional, peer}]) => {
    if (path === '') return true;
    const found = present[path];
    // What is optional or only a peer may rightly be absent: it can belong to another platform.
    return found ? found.version === version : Boolean(optional || peer);
  });
}
