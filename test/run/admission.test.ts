import {expect, test} from 'vitest';
import {Admission} from '../../src/run/admission.ts';
import type {Holding, Machine} from '../../src/run/ledger.ts';

const MACHINE: Machine = {gpus: ['5', '7'], amounts: {threads: 4, memory: 100}, each: {}};

/** A ready list whose work ends when the test says so; `running` are names in the order of their start. */
function readyList(places = 8, machine = MACHINE) {
  const admission = new Admission(places, machine);
  const running = new Map<string, {holding: Holding; end: (how: 'done' | 'busy') => void}>();
  const refused: string[] = [];
  let order = 0;
  const add = (name: string, resources: Record<string, number> = {}, priority = 0, mutex?: string) =>
    admission.add({
      demand: {resources, mutex},
      priority,
      order: order++,
      run: (holding) => new Promise<'done' | 'busy'>((end) => running.set(name, {holding, end})),
      refuse: (lacking) => void refused.push(`${name}: ${lacking.join(', ')}`),
    });
  return {
    add,
    start: () => admission.start(),
    idle: () => admission.idle(),
    gpusOf: (name: string) => running.get(name)?.holding.gpus,
    running: () => [...running.keys()],
    refused,
    async end(name: string, how: 'done' | 'busy' = 'done') {
      running.get(name)?.end(how);
      running.delete(name);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('each gets GPUs of its own by id, whole ones and parts of one', async () => {
  const list = readyList();
  list.add('half', {gpu: 0.5});
  list.add('other half', {gpu: 0.5});
  list.add('whole', {gpu: 1});
  list.add('third half', {gpu: 0.5});
  list.start();
  expect(list.running()).toEqual(['half', 'other half', 'whole']);
  expect(list.gpusOf('half')).toEqual(['5']);
  expect(list.gpusOf('other half')).toEqual(['5']);
  expect(list.gpusOf('whole')).toEqual(['7']);
  await list.end('whole');
  expect(list.gpusOf('third half')).toEqual(['7']);
});

test('amounts are shared out, and given back', async () => {
  const list = readyList();
  list.add('a', {memory: 60});
  list.add('b', {memory: 60});
  list.add('c', {memory: 40});
  list.add('d');
  list.start();
  expect(list.running()).toEqual(['a', 'd']); // c would take what b waits for
  await list.end('a');
  expect(list.running()).toEqual(['d', 'b', 'c']);
});

test('ten tenths of a GPU are one', () => {
  const list = readyList(20, {gpus: ['0'], amounts: {}, each: {}});
  for (let tenth = 0; tenth < 11; tenth++) list.add(`${tenth}`, {gpu: 0.1});
  list.start();
  expect(list.running()).toHaveLength(10);
});

test('of a mutex one runs at a time, and others go on', async () => {
  const list = readyList();
  list.add('first', {}, 0, 'licence');
  list.add('second', {}, 0, 'licence');
  list.add('other', {}, 0, 'disk');
  list.add('none');
  list.start();
  expect(list.running()).toEqual(['first', 'other', 'none']);
  await list.end('first');
  expect(list.running()).toEqual(['other', 'none', 'second']);
});

test('the most urgent goes first, and of equals the one that came first', async () => {
  const list = readyList(1);
  list.add('blocker');
  list.start();
  for (const [name, priority] of [
    ['low', 1],
    ['high', 9],
    ['middle', 5],
    ['second high', 9],
  ] as const)
    list.add(name, {}, priority);
  list.add('urgent, with a demand', {memory: 1}, 20);
  const order: string[] = [];
  for (let i = 0; i < 5; i++) {
    await list.end(list.running()[0] ?? '');
    order.push(...list.running());
  }
  expect(order).toEqual(['urgent, with a demand', 'high', 'second high', 'middle', 'low']);
});

test('a large demand is not passed by for ever: what it lacks is kept for it', async () => {
  const list = readyList();
  list.add('small', {threads: 1}, 1);
  list.start();
  list.add('large', {threads: 4}, 5);
  list.add('behind', {threads: 1}, 0);
  list.add('elsewhere', {gpu: 1}, 0);
  list.start();
  expect(list.running()).toEqual(['small', 'elsewhere']);
  await list.end('small');
  expect(list.running()).toEqual(['elsewhere', 'large']);
  await list.end('large');
  expect(list.running()).toEqual(['elsewhere', 'behind']);
});

test('it is idle when all has ended, and at once when there is nothing', async () => {
  const list = readyList(1);
  await list.idle();
  list.add('a');
  list.add('b');
  list.start();
  const idle = list.idle().then(() => 'idle');
  await list.end('a');
  expect(await Promise.race([idle, 'not yet'])).toBe('not yet');
  await list.end('b');
  expect(await idle).toBe('idle');
});

test('what can never start is refused when nothing runs any more, and names what it lacks', async () => {
  const list = readyList();
  list.add('too large', {threads: 5, memory: 101}, 9);
  list.add('no such thing', {oven: 1}, 8);
  list.add('elsewhere', {gpu: 1});
  list.start();
  expect(list.running()).toEqual(['elsewhere']);
  const idle = list.idle();
  expect(list.refused).toEqual([]);
  await list.end('elsewhere');
  await idle;
  expect(list.refused.sort()).toEqual(['no such thing: oven', 'too large: threads, memory']);
});

test('what is busy gives its place and all it holds to the next, and is tried again', async () => {
  const list = readyList(1);
  list.add('busy', {gpu: 2}, 1);
  list.add('other', {gpu: 2});
  list.start();
  expect(list.running()).toEqual(['busy']);
  await list.end('busy', 'busy');
  expect(list.running()).toEqual(['other']);
  const idle = list.idle();
  await list.end('other');
  await expect.poll(list.running).toEqual(['busy']);
  await list.end('busy');
  await idle;
});
