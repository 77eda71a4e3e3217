import {execFile} from 'node:child_process';
import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {PipelineRig} from '../rig/pipeline-rig.ts';

/** `npm run check:all` takes twenty rounds of each, every run of the tests one. */
const ROUNDS = process.env.BASIN_ALL ? 20 : 1;
const DRIVER = join(import.meta.dirname, '..', 'rig', 'counting-driver.ts');

const TEXT = `stages:
  seed: {uses: sleepless-train, with: {steps: 50}, sweep: {seed: [1, 2, 3, 4, 5]}}
  sum: {uses: add, in: {a: seed.summary, b: seed.summary}}
  points: {uses: scale, in: {a: sum.summary}, sweep: {alpha: [0, 0.25, 0.5, 1]}}
  all: {uses: gather, in: {points: points.points}}
`;
const INSTANCES = 5 + 5 + 20 + 5;
/** The sums give equal bytes, so that what is below them is the same work. */
const COMPUTED = 5 + 5 + 4 + 1;

interface Told {
  readonly ran: number;
  readonly cached: number;
  readonly cutOff: number;
  readonly failed: number;
  readonly skipped: number;
  readonly digests: readonly (readonly string[])[];
}

async function drive(folder: string): Promise<Told> {
  const {stdout} = await promisify(execFile)(process.execPath, [DRIVER, folder]);
  return JSON.parse(stdout);
}

test.for([2, 4])(
  '%i drivers at once on one cache compute each instance once, and agree',
  {timeout: 0},
  async (count) => {
    for (let round = 0; round < ROUNDS; round++) {
      await using rig = await PipelineRig.create();
      writeFileSync(join(rig.folder, 'pipeline.yaml'), TEXT);
      const told = await Promise.all(Array.from({length: count}, () => drive(rig.folder)));
      for (const {ran, cached, cutOff, failed, skipped, digests} of told) {
        expect(ran + cached + cutOff).toBe(INSTANCES);
        expect(failed + skipped).toBe(0);
        expect(digests).toEqual(told[0]?.digests);
      }
      expect(told.reduce((sum, {ran}) => sum + ran, 0)).toBe(COMPUTED);
      expect(await rig.executions()).toBe(COMPUTED);
      for (const folder of ['tmp', 'scratch']) expect(readdirSync(join(rig.cache, folder))).toEqual([]);
    }
  },
);
