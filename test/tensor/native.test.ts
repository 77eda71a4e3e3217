import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {buildObstacle} from '../../stages/tensor/addon/build.ts';
import {loadTensorLibrary} from '../../stages/tensor/load.ts';
import {readManifest} from '../../stages/tensor/manifest.ts';
import {compareWithCpu} from '../../stages/tensor/self-test/compare.ts';
import {setUp} from '../../stages/tensor/setup.ts';
import {listening} from './scratch-cache.ts';

const require = createRequire(import.meta.url);

// With the user's own cache: seconds where the addon has been built, a download of 274 MB where it has not.
const native = buildObstacle() ? undefined : await setUp({report: listening()});
const works = native?.backend === 'tensorflow';

test.skipIf(buildObstacle())(
  'where a compiler and the wheel are to be had, the native back end is set up',
  async () => {
    if (!works) expect(native?.line).toContain('could not be downloaded');
    expect(await readManifest()).toEqual(native);
  },
  600_000,
);

test.runIf(works)('the native back end computes, without anything written into node_modules', async () => {
  const tf = await loadTensorLibrary('tensorflow', {threads: 2});
  expect(tf.getBackend()).toBe('tensorflow');
  expect(tf).toBe(require('@tensorflow/tfjs'));
  const product = tf.matMul(
    tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
    tf.tensor2d([
      [5, 6],
      [7, 8],
    ]),
  );
  expect(product.arraySync()).toEqual([
    [19, 22],
    [43, 50],
  ]);
  const {values, indices} = tf.topk(tf.tensor1d([3, 1, 4, 1, 5]), 2);
  expect([values.arraySync(), indices.arraySync()]).toEqual([
    [5, 4],
    [4, 2],
  ]);
  const folder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
  expect(existsSync(join(folder, 'lib'))).toBe(false);
  expect(await compareWithCpu(tf, 'tensorflow')).toMatchObject({needed: [], avoided: []});
});
