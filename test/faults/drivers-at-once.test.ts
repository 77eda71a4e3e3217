import {execFile} from 'node:child_process';
import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {PipelineRig} from '../rig/pipeline-rig.ts';

/** `npm run check:all` takes twenty rounds of each, every run of the tests one. */
const ROUNDS = process.env.BASIN_ALL ? 20 : 1;
const RIG = join(import.meta.dirname, '..', 'rig');
const DRIVER = join(RIG, 'counting-driver.ts');

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

async function drive(folder: string, hours: number): Promise<Told> {
  const {stdout} = await promisify(execFile)(
    process.execPath,
    ['--import', join(RIG, 'shifted-clock.ts'), DRIVER, folder],
    {env: {...process.env, BASIN_TEST_HOURS: String(hours)}},
  );
  return JSON.parse(stdout);
}

test.for([
  ['two drivers', [0, 0]],
  ['four drivers', [0, 0, 0, 0]],
  ['two drivers whose clocks are ten hours apart', [5, -5]],
] as const)('%s at once on one cache compute each instance once, and agree', {timeout: 0}, async ([, clocks]) => {
  for (let round = 0; round < ROUNDS; round++) {
    await using rig = await PipelineRig.create();
    writeFileSync(join(rig.folder, 'pipeline.yaml'), TEXT);
    const told = await Promise.all(clocks.map((hours) => drive(rig.folder, hours)));
    for (const {ran, cached, cutOff, failed, skipped, digests} of told) {
      expect(ran + cached + cutOff).toBe(INSTANCES);
      expect(failed + skipped).toBe(0);
      expect(digests).toEqual(told[0]?.digests);
    }
    expect(told.reduce((sum, {ran}) => sum + ran, 0)).toBe(COMPUTED);
    expect(await rig.executions()).toBe(COMPUTED);
    for (const folder of ['tmp', 'scratch']) expect(readdirSync(join(rig.cache, folder))).toEqual([]);
  }
});
