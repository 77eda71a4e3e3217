import {existsSync} from 'node:fs';
import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {digestOf} from '../../src/base/digest.ts';
import {collectGarbage} from '../../src/store/collect-garbage.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';
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
