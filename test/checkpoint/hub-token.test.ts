import {mkdirSync, writeFileSync} from 'node:fs';
import {expect, test, vi} from 'vitest';
import {FILES, hubHome, WITH_PREPROCESSOR} from '../rig/hub-home.ts';
import {answeredTo, pythonWith} from '../rig/python.ts';

const {find, path, serve} = hubHome();

/** Where a token may be, each above what comes after it. */
const PLACES: readonly (readonly [place: string, put: (token: string) => void])[] = [
  ['HF_TOKEN', (token) => void vi.stubEnv('HF_TOKEN', token)],
  ['HUGGING_FACE_HUB_TOKEN', (token) => void vi.stubEnv('HUGGING_FACE_HUB_TOKEN', token)],
  [
    'the file of HF_TOKEN_PATH',
    (token) => {
      writeFileSync(path('elsewhere'), `${token}\n`);
      vi.stubEnv('HF_TOKEN_PATH', '$HF_HOME/elsewhere');
    },
  ],
  ['the file that `hf auth login` writes', (token) => writeFileSync(path('token'), `${token}\r\n`)],
];
const python = pythonWith('huggingface_hub');
const pythonReads = async (): Promise<unknown> =>
  'reason' in python ? undefined : answeredTo(python.python, 'hub_fetch.py', ['some/vit']);

test.each(PLACES.map(([place], index) => ({place, index})))(
  'a token is taken from $place, which goes before what is below it',
  async ({index}) => {
    const server = await serve(FILES, {token: 'hf_right'});
    for (const [, put] of PLACES.slice(index + 1)) put('hf_wrong');
    expect(await find('hf:some/vit')).toMatchObject({state: 'unresolved'});
    PLACES[index]?.[1]('  hf_right ');
    expect(await find('hf:some/vit')).toMatchObject({state: 'resolved'});
    const sent = new Set(server.requests.flatMap(({authorization}) => authorization ?? []));
    expect(sent).toContain('Bearer hf_right');
    if (!('reason' in python)) expect(await pythonReads()).toMatchObject({token: 'hf_right'});
  },
);

test('a variable of nothing but spaces leaves it to the file, and not to the other variable', async () => {
  const server = await serve(FILES);
  vi.stubEnv('HF_TOKEN', '  ');
  vi.stubEnv('HUGGING_FACE_HUB_TOKEN', 'hf_variable');
  writeFileSync(path('token'), 'hf_file');
  await find('hf:some/vit');
  expect(server.requests[0]?.authorization).toBe('Bearer hf_file');
  if (!('reason' in python)) expect(await pythonReads()).toMatchObject({token: 'hf_file'});
});

test('HF_HUB_DISABLE_IMPLICIT_TOKEN sends none', async () => {
  const server = await serve(FILES);
  vi.stubEnv('HF_TOKEN', 'hf_mine');
  vi.stubEnv('HF_HUB_DISABLE_IMPLICIT_TOKEN', '1');
  await find('hf:some/vit');
  expect(server.requests.filter(({authorization}) => authorization !== undefined)).toEqual([]);
});

test('what is told never holds the token: not refused, not unreadable, not unfit for a header', async () => {
  await serve(WITH_PREPROCESSOR, {token: 'hf_other'});
  const hintOf = async () => {
    const found = await find('hf:some/vit');
    expect(found.state).toBe('unresolved');
    expect(JSON.stringify(found)).not.toContain('secret');
    return found.state === 'unresolved' ? `${found.reason} ${found.hint}` : '';
  };
  expect(await hintOf()).toContain('log in with `hf auth login`, or set HF_TOKEN');
  writeFileSync(path('token'), 'hf_secret');
  expect(await hintOf()).toContain(`the token of ${path('token')} has no access`);
  for (const unfit of ['hf_secret\u0001', 'hf_secrét', 'hf_se\u200bcret secret']) {
    vi.stubEnv('HF_TOKEN', unfit);
    expect(await hintOf()).toContain('The token of the HuggingFace hub in HF_TOKEN has characters that no token has');
  }
  vi.stubEnv('HF_TOKEN', undefined);
  mkdirSync(path('folder'));
  vi.stubEnv('HF_TOKEN_PATH', path('folder'));
  expect(await hintOf()).toMatch(/in .*folder cannot be read \(EISDIR\)/);
});
