import {cp, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {running, stage, write} from './project.ts';

const net = `import {width} from '../lib/width.ts';
import {defineModel, z} from 'lossbasin';
export default defineModel({
  doc: 'One layer.', settings: z.strictObject({}),
  parameters: ({labels}) => ({'fc.weight': {shape: [width, labels], init: 'normal', head: true}}),
  forward: (tf, parameter, pictures) => tf.matMul(tf.reshape(pictures, [-1, width]), parameter('fc.weight')),
});
`;

test('by whatever links a project and the code that it shares are reached, and however deep it lies, its keys are the same', async () => {
  const cwd = await scratchFolder();
  const cache = join(cwd, 'cache');
  await write(cwd, {
    'project/lib/width.ts': 'export const width = 4;\n',
    'project/exp/mine.ts': stage("import {width} from '../lib/width.ts';", 'width'),
    'project/exp/net.ts': net,
    'project/exp/p.yaml': `stages:
  mine: {uses: ./mine.ts}
  start: {uses: pretrain-load, with: {source: random, model: {model: ./net.ts, image_size: 2, num_channels: 1, labels: 2}}}
`,
  });
  const run = await basin(['run', 'project/exp/p.yaml'], {cwd, cache});
  expect(run, run.stdout + run.stderr).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 2')});
  await symlink('project', join(cwd, 'link'));
  await symlink(join('project', 'exp'), join(cwd, 'exp'));
  await cp(join(cwd, 'project', 'exp'), join(cwd, 'much', 'deeper', 'exp'), {recursive: true});
  await symlink(join(cwd, 'project', 'lib'), join(cwd, 'much', 'deeper', 'lib'));
  for (const folder of ['project/exp', 'link/exp', 'exp', 'much/deeper/exp'])
    expect(await running(cwd, cache, join(folder, 'p.yaml')), folder).toEqual([]);
  expect(await running(join(cwd, 'link', 'exp'), cache)).toEqual([]);
});
