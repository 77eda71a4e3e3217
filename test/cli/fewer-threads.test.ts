import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from './basin.ts';

test('on a machine of fewer threads than one job would take, it takes those there are', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), 'stages: {n: {run: [echo, done]}}\n');
  for (const threads of ['1', '0.5', '0']) {
    const args = ['p.yaml', '--resources', `threads=${threads}`];
    const told = await basin(['run', ...args, '--jobs', '1', '--force', 'n'], {cwd});
    expect(told).toMatchObject({code: threads === '0.5' ? 2 : 0});
    if (threads !== '0.5') expect(told.stdout).toMatch(/ran 1\b/);
  }
});
