import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect, test} from 'vitest';
import {makeCheckout, makePath, REPOSITORY, run} from './checkout.ts';

const MAIN = `import {WORD} from './word.ts';
const told: object = {word: WORD, url: import.meta.url, bundled: new Error().stack?.includes('.basin/bundle')};
console.log(JSON.stringify(told));`;

/** A checkout that has been set up, and what starts it. */
async function preparedCheckout() {
  const root = makeCheckout();
  const env = {PATH: makePath({node: process.versions.node, npm: 'real'}), HOME: root};
  await run(join(root, 'bin', 'basin'), [], env);
  symlinkSync(join(REPOSITORY, 'node_modules', 'rolldown'), join(root, 'node_modules', 'rolldown'));
  const word = join(root, 'src', 'cli', 'word.ts');
  writeFileSync(word, "export const WORD: string = 'one';");
  writeFileSync(join(root, 'src', 'cli', 'main.ts'), MAIN);
  return {root, word, env, bundle: join(root, 'node_modules', '.basin', 'bundle'), begin: begin(root, env)};
}

const begin = (root: string, env: Readonly<Record<string, string>>) => async () => {
  const {code, stdout, stderr} = await run(join(root, 'bin', 'basin'), [], env);
  return code === 0 ? {code, ...JSON.parse(stdout)} : {code, stderr};
};

/** Until the file system's clock has gone on, so that the next bundle is one that is remembered. */
async function settled(path: string): Promise<void> {
  while (Date.now() - statSync(path).ctimeMs < 100) await new Promise((resolve) => setImmediate(resolve));
}

test('the command line runs from a bundle, in which modules still find what lies beside their sources', async () => {
  const {root, word, bundle, begin} = await preparedCheckout();
  await settled(word);
  const first = await begin();
  expect(first).toMatchObject({word: 'one', bundled: true, url: new URL(`file://${root}/src/cli/main.ts`).href});
  const made = readdirSync(bundle);
  expect(await begin()).toEqual(first);
  expect(readdirSync(bundle)).toEqual(made);
});

test('a source that changed is seen, its length and its time of change being what they were', async () => {
  const {word, begin} = await preparedCheckout();
  const then = 1_700_000_000;
  utimesSync(word, then, then);
  await settled(word);
  expect(await begin()).toMatchObject({word: 'one', bundled: true});
  writeFileSync(word, "export const WORD: string = 'two';");
  utimesSync(word, then, then);
  expect(await begin()).toMatchObject({word: 'two'});
  rmSync(word);
  expect(await begin()).toMatchObject({code: 1, stderr: expect.stringContaining('word.ts')});
});

test('what a broken source is told of is its own place, and the next start after its repair is right', async () => {
  const {word, begin} = await preparedCheckout();
  writeFileSync(word, 'export const WORD = ;');
  expect(await begin()).toMatchObject({code: 1, stderr: expect.stringContaining('word.ts')});
  writeFileSync(word, "export const WORD = 'three';");
  await settled(word);
  expect(await begin()).toMatchObject({word: 'three', bundled: true});
});

test('packages that were installed anew are seen, by what npm writes with them or else by their files', async () => {
  const {root, word, begin} = await preparedCheckout();
  const packages = join(root, 'node_modules');
  const install = (value: string): void => {
    mkdirSync(join(packages, 'word'), {recursive: true});
    writeFileSync(join(packages, 'word', 'package.json'), '{"name": "word", "type": "module", "exports": "./word.js"}');
    writeFileSync(join(packages, 'word', 'word.js'), `export const WORD = '${value}';`);
  };
  install('packed');
  writeFileSync(word, "export {WORD} from 'word';");
  await settled(word);
  expect(await begin()).toMatchObject({word: 'packed', bundled: true});
  install('edited');
  expect(await begin()).toMatchObject({word: 'edited'});
  const installed = join(packages, '.package-lock.json');
  writeFileSync(installed, '{}');
  await settled(installed);
  writeFileSync(word, "export {WORD} from 'word'; // once more");
  await settled(word);
  expect(await begin()).toMatchObject({word: 'edited', bundled: true});
  install('installed');
  writeFileSync(installed, '{"lockfileVersion": 3}');
  expect(await begin()).toMatchObject({word: 'installed'});
});

test('a bundle of which a file is gone or cut is made again', async () => {
  const {word, bundle, begin} = await preparedCheckout();
  await settled(word);
  await begin();
  const [part = ''] = readdirSync(bundle).filter((name) => name.endsWith('.mjs'));
  truncateSync(join(bundle, part), 3);
  expect(await begin()).toMatchObject({word: 'one', bundled: true});
  rmSync(join(bundle, part));
  expect(await begin()).toMatchObject({word: 'one', bundled: true});
});

test('a command that runs for long loads what it was made of, whatever was made since and however old that is', async () => {
  const {root, word, env, bundle, begin} = await preparedCheckout();
  const main = join(root, 'src', 'cli', 'main.ts');
  writeFileSync(
    main,
    `import {once} from 'node:events';
process.stdin.resume();
console.log('begun');
await once(process.stdin, 'end');
console.log(JSON.stringify({word: (await import('./word.ts')).WORD}));`,
  );
  await settled(main);
  await run(join(root, 'bin', 'basin'), [], env);
  const before = Date.now() / 1000 - 2 * 24 * 60 * 60;
  for (const name of readdirSync(bundle)) utimesSync(join(bundle, name), before, before);
  const long = spawn(join(root, 'bin', 'basin'), [], {env, stdio: ['pipe', 'pipe', 'inherit']});
  let told = '';
  long.stdout.on('data', (piece) => {
    told += piece;
  });
  await once(long.stdout, 'data');
  writeFileSync(word, "export const WORD: string = 'two';");
  writeFileSync(main, MAIN);
  await settled(main);
  expect(await begin()).toMatchObject({word: 'two', bundled: true});
  long.stdin.end();
  await once(long, 'close');
  expect(told).toBe('begun\n{"word":"one"}\n');
});

test('a checkout may lie in a folder of any name', async () => {
  const {root, word} = await preparedCheckout();
  await settled(word);
  const moved = `${root} $$ $& $' %41#é`;
  renameSync(root, moved);
  const start = begin(moved, {PATH: makePath({node: process.versions.node, npm: 'real'}), HOME: moved});
  const url = pathToFileURL(join(moved, 'src', 'cli', 'main.ts')).href;
  expect(await start()).toMatchObject({word: 'one', bundled: true, url});
});

test('a checkout that was moved, and one where no bundle can be written, run', async () => {
  const {root, word, begin: _} = await preparedCheckout();
  await settled(word);
  const moved = `${root} elsewhere`;
  renameSync(root, moved);
  const start = begin(moved, {PATH: makePath({node: process.versions.node, npm: 'real'}), HOME: moved});
  expect(await start()).toMatchObject({word: 'one', url: new URL(`file://${moved}/src/cli/main.ts`).href});
  const bundle = join(moved, 'node_modules', '.basin', 'bundle');
  rmSync(bundle, {recursive: true});
  writeFileSync(bundle, '');
  expect(await start()).toMatchObject({word: 'one', bundled: false});
  rmSync(bundle);
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'made.json'), '{"root"');
  expect(await start()).toMatchObject({word: 'one', bundled: true});
});
