import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {dataSetSchema} from '../../stages/lib/data/data-set-value.ts';
import {loadDataSet} from '../../stages/lib/data/load-data-set.ts';
import {resolveDataSet} from '../../stages/lib/data/resolve-data-set.ts';

/** The official files are not ours to ship; where BASIN_SHARED is set they must be there. */
const shared = process.env.BASIN_SHARED;
if (shared === undefined)
  console.info('Skipped: BASIN_SHARED is not set, so the official CIFAR-10 files are not tested.');

async function load(choices: JsonObject) {
  const value = {name: 'cifar10', root: join(shared ?? '', 'data'), ...choices};
  const resolved = await resolveDataSet(value, {folder: '/', digestOfFile, mayDownload: false});
  if (resolved.state !== 'resolved') throw new Error(resolved.reason);
  return {data: await loadDataSet(dataSetSchema.parse(resolved.located)), identity: resolved.identity};
}

test.skipIf(shared === undefined)(
  'the official CIFAR-10 files load: known labels, a thousand pictures of each class',
  async () => {
    const {data, identity} = await load({});
    expect(data).toMatchObject({classes: 10, train: {channels: 3, height: 32, width: 32}, test: {n: 10_000}});
    expect(data.train.n % 10_000).toBe(0);
    // frog, truck, truck, deer, automobile; cat, ship, ship, airplane, frog
    expect([...data.train.labels.slice(0, 5)]).toEqual([6, 9, 9, 4, 1]);
    expect([...data.test.labels.slice(0, 5)]).toEqual([3, 8, 8, 0, 6]);
    const counts = Array.from({length: 10}, (_, label) => data.test.labels.filter((found) => found === label).length);
    expect(counts).toEqual(Array(10).fill(1000));
    expect(JSON.stringify(identity)).not.toContain(shared);
  },
);

test.skipIf(shared === undefined)(
  'classes filter and relabel densely, and a limit takes the first of them',
  async () => {
    const {data} = await load({classes: [3, 8], limit: {train: 5, test: 3}});
    expect(data.classes).toBe(2);
    expect([...data.test.labels]).toEqual([0, 1, 1]);
    expect(data.train.n).toBe(5);
  },
);
