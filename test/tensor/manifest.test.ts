import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {userCacheFolder} from '../../stages/tensor/machine.ts';
import {readManifest} from '../../stages/tensor/manifest.ts';
import {setUp} from '../../stages/tensor/setup.ts';
import {listening, useEmptyCache} from './scratch-cache.ts';

test('a back end set up with other kernels is set up again, so that its numbers are never keyed as theirs', async () => {
  useEmptyCache();
  const manifest = await setUp({choice: 'wasm', report: listening()});
  expect(await readManifest('wasm')).toEqual(manifest);
  const folder = join(userCacheFolder(), 'backends');
  const found = readdirSync(folder, {recursive: true, encoding: 'utf8'}).find((name) => name.endsWith('wasm.json'));
  const path = join(folder, found ?? '');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/\/k\d+"/, '/k0"'));
  expect(await readManifest('wasm')).toBeUndefined();
  expect(await setUp({choice: 'wasm', report: listening()})).toEqual(manifest);
});
