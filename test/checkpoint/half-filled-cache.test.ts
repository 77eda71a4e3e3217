import {existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test, vi} from 'vitest';
import {fixture} from '../rig/checkpoints.ts';
import {FILES, hubHome, WITH_PREPROCESSOR} from '../rig/hub-home.ts';
import {COMMIT} from '../rig/hub-server.ts';
import {answeredTo, pythonWith} from '../rig/python.ts';

// Python's from_pretrained of a model alone leaves the preprocessor out of the cache.

const {cached, find, serve, told} = hubHome();
const FILE = 'preprocessor_config.json';

/** A cache with configuration and weights, as another tool left it: links to files that are no blobs of ours. */
function halfFilled(): void {
  mkdirSync(cached('refs'), {recursive: true});
  writeFileSync(cached('refs', 'main'), COMMIT);
  mkdirSync(cached('snapshots', COMMIT), {recursive: true});
  for (const name of FILES.keys()) symlinkSync(join(fixture('p4-32'), name), cached('snapshots', COMMIT, name));
}

const identity = async (source: string) => {
  const found = await find(source, false);
  return found.state === 'resolved' ? found.identity : found;
};
const half = {
  state: 'unresolved',
  reason: `some/vit at revision main is in the local HuggingFace cache without ${FILE}, and the cache does not say whether the model has one.`,
  hint: expect.stringContaining(`\`hf download some/vit ${FILE} --revision ${COMMIT}\``),
};

test('what a half-filled cache lacks is fetched alone, of the commit that is there, and the model is what it is elsewhere', async () => {
  halfFilled();
  const server = await serve(WITH_PREPROCESSOR);
  expect(await find('hf:some/vit')).toMatchObject({state: 'resolved', located: cached('snapshots', COMMIT)});
  expect(told).toEqual([expect.stringContaining(`Fetching ${FILE} of some/vit`)]);
  expect(server.requests.map(({path}) => path)).not.toContain('/api/models/some/vit/revision/main');
  expect(server.requests.filter(({path}) => path.endsWith('.safetensors'))).toEqual([]);
  expect(readFileSync(cached('snapshots', COMMIT, FILE), 'utf8')).toBe('{"size": 32}');
  const completed = await identity('hf:some/vit');
  rmSync(cached(), {recursive: true});
  await find('hf:some/vit');
  expect(completed).toEqual(await identity('hf:some/vit'));
});

test('that a model has no preprocessor is asked once, and noted where huggingface_hub notes it', async () => {
  halfFilled();
  const server = await serve(FILES);
  expect(await find('hf:some/vit')).toMatchObject({state: 'resolved'});
  expect(told).toEqual([]);
  expect(existsSync(cached('.no_exist', COMMIT, FILE))).toBe(true);
  const asked = server.requests.length;
  expect(await find('hf:some/vit')).toMatchObject({state: 'resolved'});
  expect(server.requests).toHaveLength(asked);
});

test('offline and in a plan a half-filled cache is unresolved, and says how to fill it', async () => {
  halfFilled();
  const server = await serve(WITH_PREPROCESSOR);
  expect(await find('hf:some/vit', false)).toEqual(half);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect(await find('hf:some/vit')).toEqual(half);
  expect(server.requests).toEqual([]);
  // the way out that the hint names
  expect(await find(cached('snapshots', COMMIT), false)).toMatchObject({state: 'resolved'});
});

test('a hub that cannot be reached is said beside what is lacking', async () => {
  halfFilled();
  vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
  const reason = expect.stringMatching(
    /without preprocessor_config\.json.* cannot be fetched from http:\/\/127\.0\.0\.1:9/,
  );
  expect(await find('hf:some/vit')).toEqual({state: 'unresolved', reason, hint: half.hint});
});

test('the list of files that `hf download` keeps says what a model has', async () => {
  halfFilled();
  mkdirSync(cached('trees'));
  const list = (files: object, format_version = 1) =>
    writeFileSync(cached('trees', `${COMMIT}.json`), JSON.stringify({format_version, files}));
  const entry = {size: 1, blob_id: '0'.repeat(40)};
  list({'config.json': entry, 'model.safetensors': entry});
  expect(await find('hf:some/vit', false)).toMatchObject({state: 'resolved'});
  list({'config.json': entry, 'model.safetensors': entry, [FILE]: entry});
  expect(await find('hf:some/vit', false)).toEqual(half);
  list({'config.json': entry}, 2);
  expect(await find('hf:some/vit', false)).toEqual(half);
  writeFileSync(cached('trees', `${COMMIT}.json`), 'no JSON');
  expect(await find('hf:some/vit', false)).toEqual(half);
});

test('a cache in which nothing can be noted serves a model without a preprocessor all the same', async () => {
  halfFilled();
  writeFileSync(cached('.no_exist'), '');
  await serve(FILES);
  expect(await find('hf:some/vit')).toMatchObject({state: 'resolved'});
  expect(told).toEqual([expect.stringMatching(/cannot be noted in the local cache \(E\w+\)/)]);
});

const python = pythonWith('huggingface_hub');

test.skipIf('reason' in python).each([
  ['with a preprocessor', WITH_PREPROCESSOR, 'cached'],
  ['without one', FILES, 'absent'],
] as const)('huggingface_hub and basin read what the other has noted of a model %s', async (_, files, known) => {
  if ('reason' in python) return;
  const server = await serve(files);
  const ask = (...names: readonly string[]) => answeredTo(python.python, 'hub_fetch.py', ['some/vit', ...names]);
  // as from_pretrained of the model alone leaves it
  expect(await ask(...FILES.keys())).toMatchObject({after: {'config.json': 'cached', 'model.safetensors': 'cached'}});
  expect(await find('hf:some/vit', false)).toEqual(half);
  expect(await find('hf:some/vit')).toMatchObject({state: 'resolved'});
  expect(server.requests.filter(({path, method}) => path.startsWith('/cdn/') && method === 'GET')).toHaveLength(1);
  expect(await ask(FILE)).toMatchObject({before: {[FILE]: known}});
  rmSync(cached(), {recursive: true});
  expect(await ask(...FILES.keys(), FILE)).toMatchObject({after: {[FILE]: known}});
  expect(await find('hf:some/vit', false)).toMatchObject({state: 'resolved'});
});
