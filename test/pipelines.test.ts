import {existsSync, readdirSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {BACKEND, basin, STACK, scratchFolder} from './cli/basin.ts';
import {runJson} from './cli/run-study.ts';

const FOLDER = join(import.meta.dirname, '..', 'pipelines');
const SMALL = join(FOLDER, 'small');
const isYaml = (name: string): boolean => name.endsWith('.yaml');

const cases = [
  ...readdirSync(FOLDER)
    .filter(isYaml)
    .map((name) => ({what: name, args: [join(FOLDER, name)]})),
  ...readdirSync(SMALL)
    .filter(isYaml)
    .map((name) => ({what: `${name} on a small machine`, args: [join(FOLDER, name), '--params', join(SMALL, name)]})),
];

/** A machine with no checkpoint in the HuggingFace cache and nothing in basin's. */
async function bareMachine() {
  const folder = await scratchFolder();
  return {cwd: folder, env: {HF_HOME: join(folder, 'huggingface'), HF_HUB_CACHE: ''}};
}

test.for(cases)('$what plans without a fault on a bare machine', async ({args}) => {
  const {code, stdout, stderr} = await basin(['plan', ...args], await bareMachine());
  expect(code, stderr).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).not.toMatch(STACK);
  expect(stdout).toMatch(/^\d+ instances: /m);
});

test('the pipelines were found, and each small one has its namesake', () => {
  expect(cases.map(({what}) => what)).toEqual(expect.arrayContaining(['quickstart.yaml', 'cifar10-lmc.yaml']));
  for (const name of readdirSync(SMALL)) expect(existsSync(join(FOLDER, name)), name).toBe(true);
});

/** A minute by itself; the others take a minute and a half together. */
const LONG = ['merge-zoo.yaml'];
/** Where only plain JavaScript computes they would take an hour. The quickstart has tests of its own. */
const everyTime = (name: string): boolean => BACKEND === 'tensorflow' && !LONG.includes(name);
const small = readdirSync(SMALL).filter(
  (name) => name !== 'quickstart.yaml' && (process.env.BASIN_ALL !== undefined || everyTime(name)),
);

test.for(small)('%s on a small machine meets its expectations, on MNIST alone', {timeout: 600_000}, async (name) => {
  const args = [join(FOLDER, name), '--params', join(SMALL, name), '--backend', BACKEND];
  const {code, totals} = await runJson(args, await bareMachine());
  expect({code, totals}).toMatchObject({code: 0, totals: {failed: 0, skipped: 0}});
});

const STUDY = join(FOLDER, 'cifar10-lmc.yaml');

const planSchema = z.object({
  instances: z.array(z.object({id: z.string(), node: z.string(), verdict: z.string(), reason: z.string()})),
});

test('the study is planned without network or data: how many instances of what, and what each lacks', async () => {
  const {code, stdout} = await basin(['plan', STUDY, '--json', '--set', 'data.root=absent'], await bareMachine());
  expect(code).toBe(0);
  const {instances} = planSchema.parse(JSON.parse(stdout));
  const counts: Record<string, number> = {};
  for (const {node} of instances) counts[node] = (counts[node] ?? 0) + 1;
  expect(counts).toEqual({
    'pretrain-load': 1,
    'finetune-A': 1,
    'finetune-B': 1,
    interpolate: 25,
    barrier: 1,
    'random-weights': 1,
    'random-finetune-A': 1,
    'random-finetune-B': 1,
    'random-interpolate': 25,
    'random-barrier': 1,
    'platon-prune': 2,
    'mask-retrain': 2,
    'random-mask': 2,
    'random-mask-retrain': 2,
  });
  expect(instances.map(({id}) => id)).toContain('interpolate[alpha=0.5]');
  const [load, ...others] = instances;
  expect(load).toMatchObject({id: 'pretrain-load', verdict: 'unresolved'});
  expect(load?.reason).toContain(
    'google/vit-base-patch16-224-in21k at revision main is not in the local HuggingFace cache',
  );
  for (const {id, node, verdict, reason} of others) {
    if (node === 'random-weights') expect({verdict, reason}).toEqual({verdict: 'run', reason: 'has not run before'});
    else {
      expect(verdict, id).toBe('unresolved');
      const follows = /^(random-)?(barrier|mask)$/.test(node);
      expect(reason, id).toMatch(follows ? /cannot run$/ : /absent yet\. A run fetches it \(162 MiB\)/);
    }
  }
});

test('what to do about missing data is told once', async () => {
  const {stdout} = await basin(['plan', STUDY, '--set', 'data.root=absent'], await bareMachine());
  expect(stdout.match(/A run fetches it, unless --offline/g)).toHaveLength(1);
  expect(stdout.match(/A run fetches it \(162 MiB\)/g)).toHaveLength(1);
  expect(stdout.match(/CIFAR-10 is not in absent yet\./g)).toHaveLength(9);
});

test('the study is not started without its checkpoint: it says how to get it, and computes nothing', async () => {
  const place = await bareMachine();
  const {code, totals, events} = await runJson(
    [STUDY, '--offline', '--backend', BACKEND, '--set', 'data={name: cifar10, root: absent}'],
    place,
  );
  expect({code, totals}).toMatchObject({code: 1, totals: {ran: 0, cached: 0, cutOff: 0, failed: 1, skipped: 65}});
  expect(events).toContainEqual(
    expect.objectContaining({
      id: 'pretrain-load',
      failure: expect.objectContaining({
        message: expect.stringContaining('google/vit-base-patch16-224-in21k at revision main is not in the local'),
      }),
    }),
  );
  expect(await readdir(join(place.cwd, 'cache', 'keys'))).toEqual([]);
  expect(existsSync(join(FOLDER, 'absent'))).toBe(false);
});
