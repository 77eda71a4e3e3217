import {existsSync} from 'node:fs';
import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {bytesOf, failures} from './told.ts';

// What becomes of a payload while programs read it.

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

/** More than is copied for a program where the file system cannot share bytes. */
const BYTES = 20_000_000;
const BIG = Buffer.alloc(BYTES);
const DIGEST = digestOf(BIG);

const make = (): string => `
stages:
  make: {run: [sh, -c, 'head -c ${BYTES} /dev/zero >"$0"', "\${out.big}"], out: {big: file}}`;

/** Tells that it has begun and waits until it may go on. */
const held = (name: string): string =>
  `touch "${join(rig.folder, name)}-began"; while [ ! -e "${join(rig.folder, name)}-goes" ]; do sleep 0.02; done`;

/** A node that does something with the payload, at $0, and writes to $1. */
const node = (name: string, script: string, more = ''): string =>
  `\n  ${name}: {run: [sh, -c, '${script}', "\${in.big}", "\${out.o}"], in: {big: make.big${more}}, out: {o: file}}`;

async function began(name: string): Promise<void> {
  while (!existsSync(`${join(rig.folder, name)}-began`)) await sleep(10);
}
const goOn = (name: string): Promise<void> => writeFile(`${join(rig.folder, name)}-goes`, '');

const textOf = async (...of: Parameters<typeof bytesOf>): Promise<string> =>
  Buffer.from(await bytesOf(...of)).toString();

test('a payload that gc removes while programs read it is theirs to the end, and is gone then', async () => {
  const text = `${make()}${node('strict', `${held('strict')}; wc -c <"$0" >"$1"`)}${node(
    'lax',
    `${held('lax')}; cat "$0" 2>/dev/null | wc -c >"$1"`,
  )}`;
  const running = rig.run(text, {onFailure: 'keep-going'});
  await Promise.all([began('strict'), began('lax')]);
  const collected = await rig.withStore((store) => collectGarbage(store, {budget: 0, dryRun: false}));
  expect(collected).toMatchObject({bytesBefore: BYTES, bytesAfter: 0, payloadsBefore: 2});
  await Promise.all([goOn('strict'), goOn('lax')]);
  const run = await running;
  expect(failures(run)).toEqual({});
  expect(await textOf(rig, run, 'strict', 'o')).toBe(`${BYTES}\n`);
  expect(await textOf(rig, run, 'lax', 'o')).toBe(`${BYTES}\n`);
  expect(await readdir(join(rig.cache, 'tmp'))).toEqual([]);
  expect((await rig.run(text)).ran).toEqual([]);
  expect(await rig.withStore(async (store) => store.hasBlob(DIGEST))).toBe(false);
});

test('a program that moves away the file that its input leads to is at fault, and the stored one stays', async () => {
  const run = await rig.run(`${make()}${node('mover', 'mv "$(readlink -f "$0")" elsewhere; wc -c <elsewhere >"$1"')}`);
  const told = failures(run).mover;
  // Where the file system shares bytes it had a copy of its own.
  if (told !== undefined)
    expect(told).toBe(
      'Its input "big" was taken away from where it was handed over, by it or by what ran beside it.\n' +
        'Have whatever moves or removes it do so with a copy, and run this again.',
    );
  expect(await rig.withStore((store) => store.stateOfBlob(DIGEST))).toBe('whole');
});

const CHANGED =
  'Its input "big" was changed where it lies in the store, by it or by what ran beside it, and is damaged.\n' +
  'Have whatever changes it change a copy. It is computed again when it is next needed: run this again.';

/** One program adds to the payload, then another reads it; `heal` puts it right before the two end. */
async function healedMeanwhile(others: string, heal: () => Promise<void>): Promise<RigRun> {
  const reader = node('reader', `${held('reader')}; wc -c <"$0" >"$1"; ${held('reader-end')}`);
  const writer = node('writer', `${held('writer')}; printf more >>"$0"; ${held('writer-end')}; echo done >"$1"`);
  const running = rig.run(`${make()}${reader}${writer}${others}`, {onFailure: 'keep-going', jobs: 4});
  await Promise.all([began('reader'), began('writer')]);
  await goOn('writer');
  await began('writer-end');
  await goOn('reader');
  await began('reader-end');
  // It is whole where a program may not write to what it is handed, or was handed a copy.
  if ((await stateOfPayload()) === 'damaged') await heal();
  await Promise.all(['reader-end', 'writer-end', 'other'].map(goOn));
  return running;
}

const stateOfPayload = () => rig.withStore((store) => store.stateOfBlob(DIGEST));

async function untilWhole(): Promise<void> {
  await goOn('other');
  while ((await stateOfPayload()) !== 'whole') await sleep(20);
}

test.each([
  ['verify removes it', () => '', () => rig.withStore((store) => store.discardBlob(DIGEST))],
  [
    'another instance gives the same bytes',
    () =>
      `\n  twin: {run: [sh, -c, '${held('other')}; head -c ${BYTES} /dev/zero >"$0"', "\${out.o}"], out: {o: file}}`,
    untilWhole,
  ],
  [
    'another reader has it made again',
    () =>
      `\n  gate: {run: [sh, -c, '${held('other')}; echo >"$0"', "\${out.o}"], out: {o: file}}` +
      node('late', 'wc -c <"$0" >"$1"', ', gate: gate.o'),
    untilWhole,
  ],
])('who was handed a damaged payload fails, also when %s before it ends', async (_, others, heal) => {
  let isHealed = false;
  const run = await healedMeanwhile(others(), async () => {
    await heal();
    isHealed = true;
  });
  expect(failures(run)).toEqual(isHealed ? {reader: CHANGED, writer: CHANGED} : {});
  if (run.ran.includes('late')) expect(await textOf(rig, run, 'late', 'o')).toBe(`${BYTES}\n`);
  const again = await rig.run(
    `${make()}${node('reader', `${held('reader')}; wc -c <"$0" >"$1"; ${held('reader-end')}`)}`,
  );
  expect(await textOf(rig, again, 'reader', 'o')).toBe(`${BYTES}\n`);
});
