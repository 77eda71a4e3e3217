import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {BASIN, environment} from '../cli/basin.ts';

/** Runs basin as a user on the cache of a folder. */
export function as(user: readonly string[], args: readonly string[], cwd: string) {
  const [program = BASIN, ...rest] = [...user, BASIN, ...args];
  const {status, stdout, stderr} = spawnSync(program, rest, {
    cwd,
    env: {...environment(join(cwd, 'cache')), HOME: '/nonexistent', XDG_CACHE_HOME: ''},
    encoding: 'utf8',
  });
  return {code: status, stdout, stderr};
}

/** Root passes every permission, so it becomes nobody. */
export const asOther = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
export const works = as(asOther, ['--version'], import.meta.dirname).code === 0;
if (!works) console.info('Skipped: nobody else may start basin from where this checkout lies.');
