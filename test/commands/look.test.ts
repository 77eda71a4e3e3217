import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {expectContract} from '../cli/json-contract.ts';

const PIPELINE = `
stages:
  copy: {run: [sh, -c, 'echo reading; cat "$0" >"$1"', "data.txt", "\${out.copy}"], files: [data.txt], out: {copy: file}}
`;

test('what a program gave and wrote can be looked at, also when its result is stored; undeclared files are told', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  await writeFile(join(cwd, 'data.txt'), 'some text\n');
  expect(await basin(['run', 'p.yaml'], {cwd})).toMatchObject({code: 0});
  expect(await basin(['run', 'p.yaml', '--cache', 'cache'], {cwd})).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('cached 1'),
  });
  const log = await basin(['log', 'p.yaml', 'copy'], {cwd});
  expect(log.stdout).toMatch(/^copy, stored with its result:\n {2}reading\nran after /);
  expect((await basin(['show', 'p.yaml', 'copy.copy'], {cwd})).stdout).toBe('some text\n');
  expect(await basin(['show', 'p.yaml', 'copy.copy', '--output', 'out.txt'], {cwd})).toMatchObject({code: 0});
  expect(await readFile(join(cwd, 'out.txt'), 'utf8')).toBe('some text\n');

  await writeFile(join(cwd, 'p.yaml'), PIPELINE.replace('files: [data.txt], ', ''));
  const planned = await basin(['plan', 'p.yaml', '--json'], {cwd});
  expectContract('plan', JSON.parse(planned.stdout));
  expect(JSON.parse(planned.stdout)).toMatchObject({
    instances: [{id: 'copy', verdict: 'run'}],
    warnings: [{code: 'undeclared-file', line: 3, column: 3, hint: 'Add files: [data.txt].'}],
  });
});
