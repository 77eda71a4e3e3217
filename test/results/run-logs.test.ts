import {appendFile, mkdir, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {instanceLog} from '../../src/results/instance-log.ts';
import {lastFailures} from '../../src/results/last-failures.ts';
import {temporaryFolder} from '../rig/temporary-store.ts';

const STUDY = {place: 'study.yaml', name: 'study'};
/** More than a string can hold, none of it on the disk. */
const HOLE = 600 * 2 ** 20;
const line = (entry: object): string => `${JSON.stringify(entry)}\n`;

test('what a log says that is longer than a string can be is found: why an instance failed, and what it wrote', async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, 'runs'));
  const log = join(root, 'runs', '2026-01-01T000000.000Z-study.jsonl');
  await writeFile(log, line({event: 'pipeline', ...STUDY}));
  await truncate(log, HOLE);
  await appendFile(log, `\n${line({event: 'instance-started', id: 'a', text: 'a'})}`);
  for (const [id, outcome] of [
    ['a', 'failed'],
    ['b', 'failed'],
    ['c', 'skipped'],
    ['d', 'ran'],
    ['b', 'ran'],
  ] as const)
    await appendFile(
      log,
      line({event: 'instance-finished', id, outcome, seconds: 1, failure: {message: `${id} failed`}}),
    );
  await appendFile(log, line({event: 'key', id: 'a', key: 'then'}));
  const asked = new Map(['a', 'b', 'c', 'd', 'e'].map((id) => [id, undefined]));
  expect(await lastFailures(root, STUDY, asked)).toEqual(
    new Map([
      ['a', 'a failed'],
      ['c', expect.stringContaining('skipped')],
    ]),
  );
  expect(await instanceLog(root, STUDY, 'a', undefined)).toEqual([
    expect.stringContaining('study.jsonl:'),
    'started: a',
    'failed after 1.0 s',
    '  a failed',
  ]);
});
