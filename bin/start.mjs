// What bin/basin starts: the command line. It is some 500 modules, and Node spends most of a short command on finding and linking
// them one by one, so they are put together into a few files once, and again as soon as one of them is another than it was.
import {bundledProgram, keepInUse, mayBundle} from './bundle/bundled-program.mjs';

const {dirname, join} = process.getBuiltinModule('node:path');
const {fileURLToPath, pathToFileURL} = process.getBuiltinModule('node:url');
const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function bundle() {
  const there = bundledProgram(root);
  if (there || !mayBundle(root)) return there;
  const {spawnSync} = await import('node:child_process');
  // In a process of its own, since a run that lasts for days should not hold a bundler's memory. Where a source is broken, the
  // sources say where.
  spawnSync(process.execPath, [join(root, 'bin', 'bundle', 'make-bundle.mjs'), root], {stdio: 'ignore'});
  return bundledProgram(root);
}

const bundled = await bundle();
if (bundled) keepInUse(bundled);
await import(pathToFileURL(bundled?.path ?? join(root, 'src', 'cli', 'main.ts')).href);
