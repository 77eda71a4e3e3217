import {lstatSync, statSync} from 'node:fs';
import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {failures} from './told.ts';

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

const failureOf = ({events}: RigRun, id: string) =>
  events.flatMap((event) =>
    event.event === 'instance-finished' && event.id === id && event.failure ? [event.failure] : [],
  )[0];

/** Every payload by its digest. */
async function blobs(): Promise<readonly {readonly path: string; readonly name: string}[]> {
  const entries = await readdir(join(rig.cache, 'blobs'), {recursive: true, withFileTypes: true});
  return entries.flatMap((entry) =>
    entry.isDirectory() ? [] : [{path: join(entry.parentPath, entry.name), name: entry.name}],
  );
}

/** Writes one byte into a file where it lies. */
const SPOIL = 'printf X | dd of="$0" bs=1 conv=notrunc 2>/dev/null; echo done >"$1"';
const MAKE = `
stages:
  make: {run: [sh, -c, 'head -c 20000000 /dev/zero >"$0"', "\${out.big}"], out: {big: file}}`;

test("a program that writes into its inputs changes neither the store's files nor the user's unnoticed", async () => {
  const mine = join(rig.folder, 'mine.bin');
  await writeFile(mine, Buffer.alloc(20_000_000));
  await chmod(mine, 0o640);
  const before = statSync(mine, {bigint: true});
  const text = `${MAKE}
  input: {run: [sh, -c, '${SPOIL}', "\${in.big}", "\${out.o}"], in: {big: make.big}, out: {o: file}}
  own: {run: [sh, -c, '${SPOIL}', mine.bin, "\${out.o}"], files: [mine.bin], out: {o: file}}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  expect(statSync(mine, {bigint: true})).toMatchObject({
    mtimeNs: before.mtimeNs,
    ctimeNs: before.ctimeNs,
    ino: before.ino,
  });
  expect(failureOf(run, 'own')).toBeUndefined();
  const [big] = (await blobs()).filter(({path}) => statSync(path).size === 20_000_000);
  if (!big) throw new Error('there is no payload');
  // Who may write to every file does so here too; then it is told, and who needs the file gets it anew.
  const isWhole = digestOf(await readFile(big.path)) === big.name.replace(/\..*/, '');
  if (isWhole) expect(failureOf(run, 'input')).toBeUndefined();
  else {
    expect(failureOf(run, 'input')).toEqual({
      message:
        'Its input "big" was changed where it lies in the store, by it or by what ran beside it, and is damaged.',
      hint: 'Have whatever changes it change a copy. It is computed again when it is next needed: run this again.',
    });
    const sum = `${MAKE}\n  sum: {run: [sha256sum, "\${in.big}"], in: {big: make.big}}`;
    expect((await rig.run(sum)).ran).toEqual(['make', 'sum']);
    expect(digestOf(await readFile(big.path))).toBe(big.name.replace(/\..*/, ''));
  }
});

test('payloads may be written to by nobody, and a second name of one changes nothing of it', async () => {
  await rig.run(`
stages:
  one: {uses: number, with: {value: 3}}
  copy: {run: [cp, "\${in.a}", "\${out.b}"], in: {a: one.summary}, out: {b: file}}
  text: {run: [sh, -c, 'echo text >"$0"; chmod 666 "$0"', "\${out.b}"], out: {b: file}}
  edit: {run: [sh, -c, 'echo more >>"$0"; cp "$0" "$1"', "\${in.b}", "\${out.c}"], in: {b: text.b}, out: {c: file}}`);
  const all = await blobs();
  expect(all.length).toBeGreaterThan(3);
  for (const {path, name} of all) {
    expect(lstatSync(path).mode & 0o222, name).toBe(0);
    expect(digestOf(await readFile(path))).toBe(name.replace(/\..*/, ''));
  }
});

test('what a program links to stays where it is', async () => {
  const victim = join(rig.folder, 'victim');
  await mkdir(victim);
  await writeFile(join(victim, 'o'), 'precious');
  const before = statSync(join(victim, 'o'), {bigint: true});
  const out = 'out: {o: file}';
  const run = await rig.run(
    `
stages:
  folder: {run: [sh, -c, 'rm -r out; ln -s "${victim}" out'], ${out}}
  above: {run: [sh, -c, 'here="$PWD"; mkdir ../moved; mv out ../moved/; cd ..; rm -r "$here"; ln -s moved "$here"; touch moved/out/o'], ${out}}
  inside: {run: [sh, -c, 'mkdir real; touch real/o; rm -r out; ln -s real out'], ${out}}
  gone: {run: [rm, -r, out], ${out}}
  hard: {run: [ln, "${victim}/o", "\${out.o}"], ${out}}`,
    {onFailure: 'keep-going'},
  );
  expect(await readdir(victim)).toEqual(['o']);
  expect(statSync(join(victim, 'o'), {bigint: true})).toMatchObject({mode: before.mode, nlink: 1n, ino: before.ino});
  const told = (program: string) => ({
    message: `${program} ended well but its folder "out" is not the one that it was given.`,
    hint: 'Have it leave "out" where it is, and write to $' + '{out.o}.',
  });
  for (const id of ['folder', 'above', 'inside']) expect(failureOf(run, id)).toMatchObject(told('sh'));
  expect(failureOf(run, 'gone')).toMatchObject(told('rm'));
  expect(failureOf(run, 'hard')).toBeUndefined();
  await writeFile(join(victim, 'o'), 'changed');
  const hard = run.records[run.plan.instances.findIndex(({instance}) => instance.id === 'hard')];
  const digest = hard?.outputs.o?.digest;
  expect(digest).toBe(digestOf('precious'));
  expect(await rig.withStore(async (store) => digest && (await store.readBlob(digest)))).toEqual(
    new Uint8Array(Buffer.from('precious')),
  );
});

test('an input of any size may be moved to an output, and the stored file stays what it is', async () => {
  const text = `${MAKE}
  moved: {run: [mv, "\${in.big}", "\${out.o}"], in: {big: make.big}, out: {o: file}}
  linked: {run: [ln, "\${in.big}", "\${out.o}"], in: {big: make.big}, out: {o: file}}
  elsewhere: {run: [ln, -s, /dev/null, "\${out.o}"], out: {o: file}}
  again: {run: [cmp, "\${in.a}", "\${in.b}"], in: {a: moved.o, b: make.big}}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  expect(failures(run)).toEqual({
    elsewhere: `ln ended well but made its output "o" something that is no file.\nHave it write to \${out.o}.`,
  });
  for (const {path, name} of await blobs()) expect(digestOf(await readFile(path))).toBe(name.replace(/\..*/, ''));
});
