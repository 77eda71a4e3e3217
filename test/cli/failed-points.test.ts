import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {table} from '../../src/index.ts';
import {basin, scratchFolder} from './basin.ts';

const PIPELINE = `stages:
  n:
    uses: pretrain-load
    sweep:
      include:
        - {source: random, model: {model: mlp, hidden: [4]}}
        - {source: upstream, labels: 3}
`;

test('a point that failed stands in the table of its sweep with its error', {timeout: 30_000}, async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const run = await basin(['run', 'p.yaml', '--keep-going', '--quiet'], {cwd});
  expect(run.code).toBe(1);
  const shown = await basin(['show', 'p.yaml', 'n.summary', '--format', 'json'], {cwd});
  expect(shown).toMatchObject({code: 0, stderr: ''});
  expect(JSON.parse(shown.stdout)).toEqual([
    expect.objectContaining({source: 'random', parameters: expect.any(Number)}),
    {source: 'upstream', failed: 'The source is upstream, but nothing is connected to the input `weights`.'},
  ]);
  const options = {cache: join(cwd, 'cache')};
  expect(await table(join(cwd, 'p.yaml'), 'n.summary', options)).toEqual(JSON.parse(shown.stdout));
  await expect(table(join(cwd, 'p.yaml'), 'n[source=upstream].summary', options)).rejects.toMatchObject({
    faults: [{code: 'not-stored', message: expect.stringMatching(/has not run .* When it was last tried: The source/)}],
  });
  const alone = await basin(['show', 'p.yaml', 'n[source=upstream].summary'], {cwd});
  expect(alone.code).toBe(1);
  expect(alone.stderr).toContain('When it was last tried: The source is upstream, but nothing is connected');
});
