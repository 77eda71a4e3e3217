import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {running, stage, write} from './project.ts';

test('two stage files that import each other and have one name are two stages, of which each gives its own result', async () => {
  const cwd = await scratchFolder();
  const file = (other: string, mine: number): string =>
    `${stage(`import {help as other} from './${other}.ts';`, `10 * ${mine} + other()`)}export const help = () => ${mine};\n`;
  await write(cwd, {
    'a.ts': file('b', 1),
    'b.ts': file('a', 2),
    'p.yaml': 'stages:\n  a: {uses: ./a.ts}\n  b: {uses: ./b.ts}\n',
    'q.yaml': 'stages:\n  b: {uses: ./b.ts}\n',
  });
  const run = await basin(['run', 'p.yaml', '--jobs', '1'], {cwd});
  expect(run).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 2')});
  const shown = async (node: string): Promise<unknown> =>
    JSON.parse((await basin(['show', 'p.yaml', `${node}.summary`, '--format', 'json'], {cwd})).stdout);
  expect(await shown('a')).toEqual([{value: 12}]);
  expect(await shown('b')).toEqual([{value: 21}]);
  expect(await running(cwd, join(cwd, 'cache'), 'q.yaml')).toEqual([]);
  await write(cwd, {'b.ts': file('a', 3)});
  expect(await running(cwd)).toEqual(['a', 'b']);
});
