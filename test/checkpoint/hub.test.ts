import {existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test, vi} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {fixture, pretrained} from '../rig/checkpoints.ts';
import {FILES, hubHome, WITH_PREPROCESSOR} from '../rig/hub-home.ts';
import {blobName, COMMIT, type hubServer} from '../rig/hub-server.ts';
import {printedBy, pythonWith} from '../rig/python.ts';

const {cached, find, path: inHome, serve, told} = hubHome();
const WITH_MORE = new Map([
  ...WITH_PREPROCESSOR,
  ['README.md', Buffer.from('# a model')],
  ['pytorch_model.bin', Buffer.alloc(10)],
]);
const resolved = {state: 'resolved', located: expect.stringContaining(COMMIT)};

test('a model is fetched into the cache as huggingface_hub lays it out, and used from there without asking again', async () => {
  const server = await serve(WITH_MORE);
  const out = vi.spyOn(console, 'debug');
  expect(await find('hf:some/vit')).toEqual({
    state: 'resolved',
    located: cached('snapshots', COMMIT),
    identity: {
      'config.json': await digestOfFile(join(fixture('p4-32'), 'config.json')),
      'preprocessor_config.json': expect.any(String),
      'model.safetensors': await digestOfFile(join(fixture('p4-32'), 'model.safetensors')),
    },
  });
  expect(out).not.toHaveBeenCalled(); // it would go to standard output, where --json is read
  expect(told).toEqual([
    `Fetching config.json of some/vit (0.0 MB) from ${server.url}`,
    `Fetching preprocessor_config.json of some/vit (0.0 MB) from ${server.url}`,
    `Fetching model.safetensors of some/vit (0.4 MB) from ${server.url}`,
  ]);
  expect(readFileSync(cached('refs', 'main'), 'utf8')).toBe(COMMIT);
  const names = ['config.json', 'model.safetensors', 'preprocessor_config.json'];
  expect(readdirSync(cached('snapshots', COMMIT)).sort()).toEqual(names);
  for (const name of names) {
    const blob = blobName(name, WITH_MORE.get(name) ?? new Uint8Array());
    expect(readlinkSync(cached('snapshots', COMMIT, name))).toBe(join('..', '..', 'blobs', blob));
  }
  expect(readdirSync(cached('blobs'))).toHaveLength(3);
  const asked = server.requests.length;
  for (const again of ['hf:some/vit', `hf:some/vit@${COMMIT}`])
    expect(await find(again, false)).toMatchObject(resolved);
  expect(server.requests).toHaveLength(asked);
  expect((await pretrained({source: cached('snapshots', COMMIT)})).weights).toEqual(
    (await pretrained({source: fixture('p4-32')})).weights,
  );
});

const python = pythonWith('huggingface_hub');
if ('reason' in python) console.warn(`The hub cache is not held to huggingface_hub: ${python.reason}`);

test.skipIf('reason' in python)('huggingface_hub finds what basin fetched', async () => {
  if ('reason' in python) return;
  await serve(FILES);
  expect(await find('hf:some/vit')).toMatchObject(resolved);
  expect(printedBy(python.python, 'hub_cache.py', ['some/vit'])).toEqual({
    snapshot: cached('snapshots', COMMIT),
    warnings: [],
    files: ['config.json', 'model.safetensors'],
    refs: ['main'],
  });
});

test('what has one blob is fetched once, under whatever revision', async () => {
  const server = await serve(FILES);
  await find('hf:some/vit');
  const asked = server.requests.filter(({path}) => path.startsWith('/cdn/')).length;
  expect(await find('hf:some/vit@v2')).toMatchObject(resolved);
  expect(readFileSync(cached('refs', 'v2'), 'utf8')).toBe(COMMIT);
  expect(told).toEqual([]);
  expect(server.requests.filter(({path}) => path.startsWith('/cdn/'))).toHaveLength(asked);
});

test('a plan, HF_HUB_OFFLINE and --offline ask nothing of the network', async () => {
  const server = await serve(FILES);
  const unresolved = {
    state: 'unresolved',
    reason: 'some/vit at revision main is not in the local HuggingFace cache.',
    hint: 'A run fetches it, unless --offline or HF_HUB_OFFLINE forbids it; or give the path of a folder.',
  };
  expect(await find('hf:some/vit', false)).toEqual(unresolved);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect(await find('hf:some/vit')).toEqual(unresolved);
  expect(server.requests).toEqual([]);
  expect(existsSync(inHome('hub'))).toBe(false);
});

test('a token opens a private model, and goes to the hub alone', async () => {
  const server = await serve(FILES, {token: 'a token of any form'});
  expect(await find('hf:some/vit')).toMatchObject({
    state: 'unresolved',
    reason: `hf:some/vit: ${server.url} does not give some/vit (401): it is private or gated, or there is none of this name.`,
    hint: expect.stringContaining('hf auth login'),
  });
  vi.stubEnv('HF_TOKEN', 'a token of any form');
  expect(await find('hf:some/vit')).toMatchObject(resolved);
  const redirected = server.requests.filter(({path}) => path.startsWith('/cdn/'));
  expect(redirected.length).toBeGreaterThan(0);
  expect(redirected.filter(({authorization}) => authorization !== undefined)).toEqual([]);
});

test('a connection that is cut is gone on with where it ended', async () => {
  const server = await serve(FILES, {cutAfter: 100_000});
  expect(await find('hf:some/vit')).toMatchObject(resolved);
  const ranges = server.requests.flatMap(({path, range}) =>
    path.startsWith('/cdn/') && range !== 'bytes=0-0' ? [range] : [],
  );
  expect(ranges).toEqual([undefined, ...[100_000, 200_000, 300_000].map((from) => `bytes=${from}-369695`)]);
});

const BROKEN: readonly (readonly [what: string, manners: Parameters<typeof hubServer>[1], reason: RegExp])[] = [
  ['other bytes', {wrong: true}, /model\.safetensors is not that file: its digest is another/],
  ['nothing but a cut connection', {cutAfter: 0}, /cannot be fetched from http/],
  [
    'the whole file where the rest was asked for',
    {cutAfter: 300_000, noRanges: true},
    /sent more than the 369696 bytes/,
  ],
  ['an error', {status: 503}, /answers 503/],
];
test.each(BROKEN)('%s leaves no blob, no ref and no rest, and is said', async (_, manners, reason) => {
  await serve(new Map([...FILES].toReversed()), manners);
  const found = await find('hf:some/vit');
  expect(found).toMatchObject({state: 'unresolved', reason: expect.stringMatching(reason), hint: expect.any(String)});
  expect(existsSync(cached('refs', 'main'))).toBe(false);
  const blobs = existsSync(cached('blobs')) ? readdirSync(cached('blobs')) : [];
  expect(
    blobs.filter((name) => name !== blobName('config.json', FILES.get('config.json') ?? new Uint8Array())),
  ).toEqual([]);
});

test('shards are fetched as their index names them, and nothing else', async () => {
  const [a = '', b = ''] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const index = Buffer.from(JSON.stringify({weight_map: {x: a, y: b}}));
  const content = new Uint8Array([1, 2, 3]);
  const config = FILES.get('config.json') ?? content;
  const sharded = new Map<string, Uint8Array>([
    ['config.json', config],
    ['model.safetensors.index.json', index],
    [a, content],
    [b, new Uint8Array([4, 5])],
    ['other.safetensors', content],
  ]);
  await serve(sharded);
  const found = await find('hf:some/vit');
  expect(found.state === 'resolved' && Object.keys(found.identity ?? {})).toEqual([
    'config.json',
    'model.safetensors.index.json',
    a,
    b,
  ]);
});

test('a model without safetensors, one that is not there, and a hub that is not there are said', async () => {
  await serve(new Map([...FILES].filter(([name]) => name === 'config.json')));
  expect(await find('hf:some/vit')).toMatchObject({
    reason: expect.stringMatching(/^hf:some\/vit: some\/vit has no model\.safetensors/),
  });
  expect(await find('hf:some/other')).toMatchObject({
    reason: expect.stringMatching(/There is no some\/other with a revision main/),
  });
  expect(await find('hf:some/vit@v3')).toMatchObject({reason: expect.stringMatching(/revision v3/)});
  vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
  expect(await find('hf:some/vit')).toMatchObject({
    reason: expect.stringMatching(/cannot be fetched from http:\/\/127\.0\.0\.1:9: /),
  });
});

test('a folder that cannot be written to is a fault of the disk', async () => {
  await serve(FILES);
  mkdirSync(inHome('hub'));
  writeFileSync(cached(), '');
  await expect(find('hf:some/vit')).rejects.toThrow(/ENOTDIR/);
});
