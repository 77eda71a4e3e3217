import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {fixture} from '../rig/checkpoints.ts';
import {basin, STACK, scratchFolder} from './basin.ts';

const PIPELINE = `params: {seeds: [1, 2]}
stages:
  load: {uses: pretrain-load, with: {source: ./p4-32}}
  export: {uses: export, in: {weights: load.weights}}
  list:
    run: [ls, -1, in]
    in: {config: export.config, model: export.model, preprocessor_config: export.preprocessor_config}
  fresh: {uses: pretrain-load, in: {weights: load.weights}, with: {source: upstream, labels: 2}, sweep: {head_seed: "\${seeds}"}}
`;

test('export and show --to give a folder that is the checkpoint, to a person and to a program', async () => {
  const cwd = await scratchFolder();
  await mkdir(join(cwd, 'p4-32'));
  for (const name of ['config.json', 'model.safetensors']) {
    await writeFile(join(cwd, 'p4-32', name), await readFile(join(fixture('p4-32'), name)));
  }
  await writeFile(join(cwd, 'a.yaml'), PIPELINE);
  const before = await basin(['show', 'a.yaml', 'export', '--to', 'out'], {cwd});
  expect(before).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(/^not-stored: export has not run/)});
  expect(await basin(['run', 'a.yaml', '--backend', 'cpu'], {cwd})).toMatchObject({code: 0});
  const names = ['config.json', 'model.safetensors', 'preprocessor_config.json'];
  expect((await basin(['show', 'a.yaml', 'list.log'], {cwd})).stdout).toBe(`${names.join('\n')}\n`);
  expect(await basin(['show', 'a.yaml', 'export', '--to', 'new/out'], {cwd})).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect((await readdir(join(cwd, 'new/out'))).sort()).toEqual(names);
  const [model, wanted] = await Promise.all(
    ['new/out', 'p4-32'].map((folder) => readFile(join(cwd, folder, 'model.safetensors'))),
  );
  expect(model).toEqual(wanted);
  // read back, the folder is the same weights: what follows is cut off
  await writeFile(join(cwd, 'b.yaml'), PIPELINE.replace('./p4-32', './new/out'));
  const again = await basin(['run', 'b.yaml', '--backend', 'cpu', '--json'], {cwd});
  expect(JSON.parse(again.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ran: 1, failed: 0});
  const swept = await basin(['show', 'a.yaml', 'fresh', '--to', 'out'], {cwd});
  expect(swept).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/fresh has 2 instances.*\n.*fresh\[head_seed=1\]/),
  });
  await writeFile(join(cwd, 'file'), '');
  const taken = await basin(['show', 'a.yaml', 'export', '--to', 'file'], {cwd});
  expect(taken).toMatchObject({code: 1, stderr: expect.stringMatching(/a file is in the place of the folder/)});
  for (const {stderr} of [before, swept, taken]) expect(stderr).not.toMatch(STACK);
});
