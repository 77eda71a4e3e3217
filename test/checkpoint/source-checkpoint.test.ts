import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, expect, test, vi} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {resolveCheckpoint} from '../../stages/lib/source-checkpoint.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-source-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, {recursive: true});
});
const fixture = fileURLToPath(new URL('../fixtures/hf-vit/p4-32', import.meta.url));
const place = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path, {recursive: true});
  return path;
};
const find = (source: string) => resolveCheckpoint(source, {folder, digestOfFile, mayDownload: false});

const digests = {
  'config.json': await digestOfFile(join(fixture, 'config.json')),
  'model.safetensors': await digestOfFile(join(fixture, 'model.safetensors')),
};

test('random and upstream stand for themselves', async () => {
  expect(await find('random')).toEqual({state: 'resolved', identity: 'random', located: 'random'});
  expect(await find('upstream')).toEqual({state: 'resolved', identity: 'upstream', located: 'upstream'});
});

test('a folder is the digests of its files, and a file of another name beside the same config is the same', async () => {
  cpSync(join(fixture, 'config.json'), join(place('whole'), 'config.json'));
  cpSync(join(fixture, 'model.safetensors'), join(place('whole'), 'model.safetensors'));
  expect(await find('whole')).toEqual({state: 'resolved', identity: digests, located: join(folder, 'whole')});
  cpSync(join(folder, 'whole'), place('renamed'), {recursive: true});
  cpSync(join(fixture, 'model.safetensors'), join(folder, 'renamed/epoch-3.safetensors'));
  const file = await find('renamed/epoch-3.safetensors');
  expect(file).toEqual({state: 'resolved', identity: digests, located: join(folder, 'renamed/epoch-3.safetensors')});
});

test('a preprocessor beside the weights is part of what they are', async () => {
  cpSync(join(folder, 'whole'), place('described'), {recursive: true});
  writeFileSync(join(folder, 'described/preprocessor_config.json'), '{"size": 32}');
  const found = await find('described');
  expect(found.state === 'resolved' && Object.keys(found.identity ?? {})).toEqual([
    'config.json',
    'preprocessor_config.json',
    'model.safetensors',
  ]);
});

test('names of classes are in the key, and the key of a checkpoint without them is what it was', async () => {
  cpSync(join(folder, 'whole'), place('named'), {recursive: true});
  const config = JSON.parse(readFileSync(join(fixture, 'config.json'), 'utf8'));
  writeFileSync(join(folder, 'named/config.json'), JSON.stringify({...config, id2label: {0: 'cat', 1: 'dog'}}));
  expect(await find('named')).toMatchObject({
    identity: {'config.json': await digestOfFile(join(folder, 'named/config.json')), 'class names': 'kept'},
  });
  writeFileSync(join(folder, 'named/config.json'), 'no JSON');
  expect(await find('named')).toMatchObject({
    state: 'resolved',
    identity: expect.not.objectContaining({'class names': 'kept'}),
  });
});

test('hf: finds the snapshot of a branch, and of a commit, in the local cache, through its links', async () => {
  const commit = 'a'.repeat(40);
  const repository = place('hub/hub/models--some--vit');
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'refs/main'), commit);
  const snapshot = place(`hub/hub/models--some--vit/snapshots/${commit}`);
  symlinkSync(join(fixture, 'config.json'), join(snapshot, 'config.json'));
  symlinkSync(join(fixture, 'model.safetensors'), join(snapshot, 'model.safetensors'));
  vi.stubEnv('HF_HOME', join(folder, 'hub'));
  vi.stubEnv('HF_HUB_CACHE', '');
  mkdirSync(join(repository, '.no_exist', commit), {recursive: true});
  writeFileSync(join(repository, '.no_exist', commit, 'preprocessor_config.json'), '');
  expect(await find('hf:some/vit')).toEqual({state: 'resolved', identity: digests, located: snapshot});
  expect(await find(`hf:some/vit@${commit}`)).toEqual({state: 'resolved', identity: digests, located: snapshot});
  expect(await find('hf:some/vit@v2')).toEqual({
    state: 'unresolved',
    reason: 'some/vit at revision v2 is not in the local HuggingFace cache.',
    hint: 'A run fetches it, unless --offline or HF_HUB_OFFLINE forbids it; or give the path of a folder.',
  });
});

const unresolved = async (source: string, reason: RegExp, hint: RegExp) =>
  expect(await find(source)).toEqual({
    state: 'unresolved',
    reason: expect.stringMatching(reason),
    hint: expect.stringMatching(hint),
  });

test('a place without a checkpoint is unresolved, with its reason and what to do', async () => {
  await unresolved('nowhere', /^nowhere: There is nothing/, /relative to the pipeline file/);
  await unresolved('google/vit-base-patch16-224', /nothing at this path/, /write hf:google\/vit-base-patch16-224\./);
  await unresolved('hf:justaname', /not the name of a model/, /hf:owner\/name@revision/);
  await unresolved('hf:../..', /not the name of a model/, /hf:owner/);
  await unresolved('hf:a/b@../../x', /not the name of a model/, /hf:owner/);
  writeFileSync(join(place('torch'), 'model.bin'), '');
  await unresolved('torch/model.bin', /not a \.safetensors file/, /save_pretrained/);
  await unresolved('torch', /config\.json is missing/, /config\.json beside it/);
  writeFileSync(join(folder, 'torch/config.json'), '{}');
  await unresolved('torch', /model\.safetensors is missing/, /model\.safetensors\.index\.json/);
});

test('an index of shards names files beside it, and nothing else', async () => {
  const sharded = place('sharded');
  const write = (map: unknown) =>
    writeFileSync(join(sharded, 'model.safetensors.index.json'), JSON.stringify({weight_map: map}));
  writeFileSync(join(sharded, 'config.json'), '{}');
  for (const outside of ['../x.safetensors', '/x.safetensors', 'sub/x.safetensors', '..', 'x.bin', 7]) {
    write({a: outside});
    await unresolved('sharded', /which is not a safetensors file beside it/, /same folder/);
  }
  writeFileSync(join(sharded, 'two.safetensors'), 'x');
  write({a: 'two.safetensors', b: 'three.safetensors'});
  await unresolved('sharded', /three\.safetensors is missing/, /shards/);
  writeFileSync(join(sharded, 'three.safetensors'), 'x');
  const found = await find('sharded');
  expect(found.state === 'resolved' && Object.keys(found.identity ?? {})).toEqual([
    'config.json',
    'model.safetensors.index.json',
    'three.safetensors',
    'two.safetensors',
  ]);
});
