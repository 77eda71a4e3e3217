import {execFile, execFileSync, spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const PYTHON = process.env.BASIN_PYTHON ?? 'python3';

/** A Python that has these modules, or why there is none. `BASIN_PYTHON` names one; else it is `python3`. */
export function pythonWith(...modules: readonly string[]): {readonly python: string} | {readonly reason: string} {
  const asked = spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`], {encoding: 'utf8'});
  if (asked.status === 0) return {python: PYTHON};
  const why = asked.error ? asked.error.message : asked.stderr.trim().split('\n').at(-1);
  return {reason: `${PYTHON} has not all of ${modules.join(', ')} (${why}); BASIN_PYTHON names another Python.`};
}

const pathOf = (script: string): string => fileURLToPath(new URL(`../python/${script}`, import.meta.url));

/** What a script prints that asks a server of this very process. */
export async function answeredTo(python: string, script: string, args: readonly string[]): Promise<unknown> {
  const {stdout} = await promisify(execFile)(python, [pathOf(script), ...args], {encoding: 'utf8'});
  return JSON.parse(stdout);
}

/** What a script in test/python prints, which is JSON. */
export function printedBy(python: string, script: string, args: readonly string[]): unknown {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return JSON.parse(execFileSync(python, [pathOf(script), ...args], {encoding: 'utf8', stdio}));
}
