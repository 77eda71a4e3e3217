import {join} from 'node:path';

function reachable(start, moduleInfo) {
  const found = new Set();
  const left = [...start];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    left.push(...(moduleInfo(id)?.importedIds ?? []));
  }
  return found;
}

/**
 * Which modules lie in one file: what `run` and `plan` load at once, and of it what workers load too. Left to itself a bundler puts
 * modules together only where all that is loaded later needs them alike, which made 53 files of which each takes Node half a
 * millisecond. What `basin --help` loads stays by itself, and so does what users' stages import, of which others need only parts.
 */
export function chunkGroups(root, moduleInfo) {
  const from = (...names) =>
    reachable(
      names.map((name) => join(root, 'src', name)),
      moduleInfo,
    );
  const apart = new Set([...from('cli/main.ts'), ...from('index.ts')]);
  const worker = from('cli/worker.ts');
  const groups = new Map();
  for (const id of from('cli/commands/run.ts', 'cli/commands/plan.ts', 'graph/read-pipeline.ts'))
    if (!apart.has(id)) groups.set(id, worker.has(id) ? 'run-and-worker' : 'run');
  return groups;
}
