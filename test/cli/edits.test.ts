import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {basin, jsonLines, scratchFolder} from './basin.ts';
import {expectContract} from './json-contract.ts';
import {editedCopy, runJson, studyFolder, type Told} from './run-study.ts';
import {edited, ON_BACKEND, STUDY, STUDY_SIZE} from './study.ts';

// One whole run; then each test edits the file beside a copy of that cache, as a person would.

let folder: string;
let first: Told;

beforeAll(async () => {
  ({folder, told: first} = await studyFolder());
});
afterAll(() => rm(folder, {recursive: true, force: true}));

async function afterEdit(text: string, ...args: string[]): Promise<Told> {
  const cwd = await editedCopy(folder, await scratchFolder(), text);
  return runJson(['study.yaml', ...ON_BACKEND, ...args], {cwd});
}

const points = (...alphas: number[]): string[] => alphas.map((alpha) => `interpolate[alpha=${alpha}]`);
const pruning = (point: string): string[] =>
  ['mask-retrain', 'platon-prune', 'random-mask', 'random-mask-retrain'].map((node) => `${node}[${point}]`);

test('the first run computes everything and meets its expectation', () => {
  expect(first).toMatchObject({code: 0, instances: STUDY_SIZE, totals: {ran: STUDY_SIZE, cached: 0}});
  expect(first.events).toContainEqual(expect.objectContaining({event: 'expectation', met: true, detail: ''}));
});

const reworded = [
  ['name: small-study', '# what it is for\nname: renamed'],
  ['0.50', '0.5'],
  ['{source: random, seed: 1, model:', '{seed: 1, source: random, model:'],
  ['final_warmup: 1}', 'final_warmup: 1it, beta1: 0.85}'],
] as const;

test.for([
  [
    'a comment, another name, another order of keys, 0.5 for 0.50, a default written out',
    reworded.reduce((text, [before, after]) => edited(before, after, text), STUDY),
  ],
  ['sparsity for keep', edited('[0.2, 0.05]', '[0.8, 0.95]', edited('sweep: {keep:', 'sweep: {sparsity:'))],
] as const)('%s runs nothing', async ([, text]) => {
  expect(await afterEdit(text)).toMatchObject({code: 0, totals: {ran: 0, cutOff: 0, cached: STUDY_SIZE}});
});

test('a copy under another name in another folder runs nothing with the same --cache', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'other.yaml'), STUDY);
  const told = await runJson(['other.yaml', ...ON_BACKEND, '--cache', join(folder, 'cache')], {cwd});
  expect(told).toMatchObject({code: 0, totals: {ran: 0, cached: STUDY_SIZE}});
});

test('--force runs what it names although it is stored; equal bytes cut off everything below, and plan says so', async () => {
  const forced = ['--force', 'platon-prune[keep=0.2]', '--force', 'finetune-B'];
  const cwd = await editedCopy(folder, await scratchFolder(), STUDY);
  const plan = await basin(['plan', 'study.yaml', ...ON_BACKEND, ...forced, '--json'], {cwd});
  const planned = JSON.parse(plan.stdout).instances.filter(({verdict}: {verdict: string}) => verdict === 'run');
  expect(planned).toEqual(
    ['finetune-B', 'platon-prune[keep=0.2]'].map((id) =>
      expect.objectContaining({id, reason: 'asked for with --force'}),
    ),
  );
  const told = await runJson(['study.yaml', ...ON_BACKEND, ...forced], {cwd});
  expect(told.ids('ran')).toEqual(['finetune-B', 'platon-prune[keep=0.2]']);
  expect(told.totals).toMatchObject({ran: 2, failed: 0, skipped: 0, cutOff: 7, cached: STUDY_SIZE - 9});
  const wrong = await basin(['run', 'study.yaml', ...ON_BACKEND, '--force', 'finetune-C'], {cwd});
  expect(wrong).toMatchObject({code: 2, stdout: ''});
  expect(wrong.stderr).toContain('There is no node or instance "finetune-C" in study.yaml.\nDid you mean "finetune-');
});

test('two alphas more run exactly two points and what gathers them', async () => {
  const told = await afterEdit(edited('[0, 0.50, 1]', '{linspace: [0, 1, 5]}'));
  expect(told.ids('ran')).toEqual(['barrier', ...points(0.25, 0.75)]);
  expect(told.totals).toMatchObject({ran: 3, cached: STUDY_SIZE - 1, cutOff: 0, failed: 0, skipped: 0});
});

test("finetune-B's seed runs B, the points and the barrier, and neither A nor pruning", async () => {
  const told = await afterEdit(edited('seed: 2, length', 'seed: 9, length'));
  expect(told.ids('ran')).toEqual(['barrier', 'finetune-B', ...points(0, 0.5, 1)].sort());
  expect(told.totals).toMatchObject({ran: 5, cached: STUDY_SIZE - 5});
});

test('one keep more runs its pruning, its retraining and its controls', async () => {
  const told = await afterEdit(edited('[0.2, 0.05]', '[0.2, 0.5, 0.05]'));
  expect(told.ids('ran')).toEqual(pruning('keep=0.5').sort());
  expect(told.totals).toMatchObject({ran: 4, cached: STUDY_SIZE});
});

test('a stage that ran to the same bytes cuts off what follows', async () => {
  // the mlp has no dropout, so its seed moves no weight
  const told = await afterEdit(edited('seed: 2, length', 'seed: {order: 2, augment: 2, dropout: 7}, length'));
  expect(told.ids('ran')).toEqual(['finetune-B']);
  expect(told.ids('cut-off')).toEqual(['barrier', ...points(0, 0.5, 1)].sort());
});

test('an expectation that is not met ends with 1 and says which row', async () => {
  const told = await afterEdit(edited('error_instability < 100.0', 'points > 3'));
  expect(told).toMatchObject({code: 1, totals: {ran: 0, failed: 0}});
  expect(told.events).toContainEqual({
    event: 'expectation',
    of: 'barrier.summary',
    where: "split == 'test'",
    that: 'points > 3',
    met: false,
    detail: expect.stringMatching(/^1 of 1 rows fail, the first is split=test .*points=3/),
  });
});

test('--target takes a node or an instance with what it needs, and leaves the rest alone', async () => {
  const barrier = await afterEdit(edited('seed: 2, length', 'seed: 9, length'), '--target', 'barrier');
  expect(barrier).toMatchObject({code: 0, instances: 7, totals: {ran: 5, cached: 2}});
  const one = await runJson(['study.yaml', ...ON_BACKEND, '--target', 'mask-retrain[keep=0.2]'], {cwd: folder});
  expect(one.ids('cached')).toEqual(['mask-retrain[keep=0.2]', 'platon-prune[keep=0.2]', 'pretrain-load']);
});

test('--set wins over --params, and --params over the file', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'more.yaml'), 'keeps: [0.2]\nalphas: [0, 0.1, 1]\n');
  await writeFile(join(cwd, 'study.yaml'), STUDY);
  const args = ['study.yaml', ...ON_BACKEND, '--cache', join(folder, 'cache'), '--params', 'more.yaml'];
  const told = await basin(['plan', ...args, '--set', 'alphas=[0, 0.5, 1]', '--json'], {cwd});
  expectContract('plan', JSON.parse(told.stdout));
  const {instances} = JSON.parse(told.stdout);
  expect(instances).toHaveLength(STUDY_SIZE - 4);
  expect(instances.every(({verdict}: {verdict: string}) => verdict === 'cached')).toBe(true);
});

test('explain says field by field what an edit changed, and of a node all its instances', async () => {
  const cwd = await editedCopy(folder, await scratchFolder(), edited('seed: 2, length', 'seed: 9, length'));
  const told = await basin(['explain', 'study.yaml', 'finetune-B', ...ON_BACKEND, '--json'], {cwd});
  expect(told).toMatchObject({code: 0, stderr: ''});
  expectContract('explain', JSON.parse(told.stdout));
  expect(JSON.parse(told.stdout)).toEqual({
    instance: 'finetune-B',
    verdict: 'run',
    changes: ['order', 'augment', 'dropout'].map((name) => ({path: `params.seed.${name}`, before: 2, after: 9})),
    lastReason: null,
    lastChanges: [],
  });
  const all = await basin(['explain', 'study.yaml', 'interpolate', ...ON_BACKEND, '--json'], {cwd});
  const lines = jsonLines(all.stdout);
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expectContract('explain', line);
    expect(line).toMatchObject({verdict: 'run-unless-cut-off', changes: [{after: {awaits: 'finetune-B'}}]});
  }
});
