import {cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['bin', 'src', 'stages', 'bench/engine', 'package.json', 'package-lock.json', '.npmrc'];

/**
 * A copy of this checkout whose built-in stages are the trivial ones, as the real command line and its workers cannot be told to
 * know others; the packages are this one's. It goes when the process ends.
 */
export function trivialCheckout(): string {
  const root = mkdtempSync(join(tmpdir(), 'basin-bench-checkout-'));
  process.on('exit', () => rmSync(root, {recursive: true, force: true}));
  for (const name of COPIED) {
    cpSync(join(REPOSITORY, name), join(root, name), {
      recursive: true,
      filter: (path) => !path.endsWith('node_modules'),
    });
  }
  writeFileSync(
    join(root, 'src', 'cli', 'registry.ts'),
    "export {registry} from '../../bench/engine/trivial-stages.ts';\n",
  );
  symlinkSync(join(REPOSITORY, 'bin', 'node', 'node_modules'), join(root, 'bin', 'node', 'node_modules'));
  const packages = join(REPOSITORY, 'node_modules');
  const copy = join(root, 'node_modules');
  mkdirSync(copy);
  for (const name of readdirSync(packages)) {
    if (name !== '.basin') symlinkSync(join(packages, name), join(copy, name));
  }
  for (const name of ['runtime', 'package-lock.json']) {
    cpSync(join(packages, '.basin', name), join(copy, '.basin', name));
  }
  return root;
}
