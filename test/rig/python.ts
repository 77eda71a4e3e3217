import {execFileSync, spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const PYTHON = process.env.BASIN_PYTHON ?? 'python3';

/** A Python that has these modules, or why there is none. `BASIN_PYTHON` names one; else it is `python3`. */
export function pythonWith(...modules: readonly string[]): {readonly python: string} | {readonly reason: string} {
  const asked = spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], {encoding: 'utf8'});
  if (asked.status === 0) return {python: PYTHON};
  const why = asked.error ? asked.error.message : asked.stderr.trim().split('\n').at(-1);
  return {reason: `${PYTHON} has not all of ${modules.join(', ')} (${why}); BASIN_PYTHON names another Python.`};
}

/** What a script in test/python prints, which is JSON. */
export function printedBy(python: string, script: string, args: readonly string[]): unknown {
  const path = fileURLToPath(new URL(`../python/${script}`, import.meta.url));
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return JSON.parse(execFileSync(python, [path, ...args], {encoding: 'utf8', stdio}));
}
