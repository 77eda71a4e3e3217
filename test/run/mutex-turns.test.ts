import {setTimeout as wait} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {MutexTurns} from '../../src/run/mutex-turns.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

const TURNS = 10;
const MANY = `stages:
  long: {run: [sh, -c, 'sleep 0.3; echo $1 >"$0"', "\${out.o}", "\${i}"], out: {o: file}, sweep: {i: {range: [1, ${TURNS}, 1]}}, mutex: disk}
`;
const ONE = `stages:
  short: {run: [sh, -c, 'echo >"$0"', "\${out.o}"], out: {o: file}, mutex: disk}
`;

test('a driver that waits for a mutex gets it before the other has done all that it has under it', async () => {
  await using rig = await PipelineRig.create();
  const ends: string[] = [];
  const begun = Promise.withResolvers<void>();
  const onEvent: NonNullable<Parameters<typeof rig.run>[1]>['onEvent'] = (event) => {
    if (event.event !== 'instance-finished') return;
    ends.push(event.id);
    begun.resolve();
  };
  const many = rig.run(MANY, {onEvent});
  await begun.promise;
  const one = await rig.run(ONE, {onEvent});
  const {totals, events} = await many;
  expect(one.totals).toMatchObject({ran: 1, failed: 0});
  expect(totals).toMatchObject({ran: TURNS, failed: 0});
  expect(ends.length).toBe(TURNS + 1);
  expect(ends.indexOf('short')).toBeLessThan(TURNS - 2);
  expect(events.flatMap((event) => (event.event === 'warning' ? [event.message] : []))[0]).toMatch(
    /^Another basin waits for the mutex "disk" of long\[i=\d+\] too; they take turns\.$/,
  );
});

/** Two drivers on one store; the first has just given the mutex back. */
async function twoDrivers() {
  const store = await temporaryStore();
  const [one, other] = [new MutexTurns(store), new MutexTurns(store)];
  const nothing = async (): Promise<string> => 'done';
  return {one, other, nothing};
}

test('where nobody waits, who had a mutex has it again at once', async () => {
  const {one, other, nothing} = await twoDrivers();
  for (let turn = 0; turn < 3; turn++) expect(await one.under('disk', nothing)).toEqual({end: 'done'});
  expect(await other.under('disk', nothing)).toEqual({end: 'done'});
  expect(await one.under('disk', nothing)).toEqual({end: 'done'});
});

test('two who always want a mutex have it in turns', async () => {
  const {one, other, nothing} = await twoDrivers();
  await one.under('disk', async () => {
    expect(await other.under('disk', nothing)).toBe('busy');
    expect(await other.under('disk', nothing)).toBe('busy'); // tried again, and still the next
  });
  expect(await one.under('disk', nothing)).toBe('yielded');
  expect(await one.under('tape', nothing)).toEqual({end: 'done'});
  await other.under('disk', async () => expect(await one.under('disk', nothing)).toBe('busy'));
  expect(await other.under('disk', nothing)).toBe('yielded');
  expect(await one.under('disk', nothing)).toEqual({end: 'done'});
  expect(await other.under('disk', nothing)).toEqual({end: 'done'});
});

test('who said that it waits, and does not try again, keeps nobody for longer than a second', async () => {
  const {one, other, nothing} = await twoDrivers();
  await one.under('disk', async () => expect(await other.under('disk', nothing)).toBe('busy'));
  expect(await one.under('disk', nothing)).toBe('yielded');
  await wait(1100);
  expect(await one.under('disk', nothing)).toEqual({end: 'done'});
});
