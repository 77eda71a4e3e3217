import {readFileSync} from 'node:fs';
import {cp, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {fixture} from '../rig/checkpoints.ts';
import {BACKEND, basin, scratchFolder} from './basin.ts';

// Written by make.py beside it: transformers' processor on Pillow and its network, on the pictures of the data sets' own files.
const {cases} = z
  .object({
    cases: z.array(
      z.object({
        data: z.enum(['mnist', 'cifar10']),
        preprocessor: z.looseObject({}),
        classes: z.int(),
        n: z.int(),
        right: z.int(),
        loss: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/evaluate/transformers.json'), 'utf8')));

const rowSchema = z.array(z.looseObject({source: z.string(), loss: z.number(), accuracy: z.number(), n: z.number()}));

const shared = process.env.BASIN_SHARED;
const ROOTS = {mnist: '', cifar10: `root: "${shared}/data", `};

test.for(['mnist', 'cifar10'] as const)(
  'evaluate on %s gives the accuracy and the mean loss that transformers gives',
  async (data, {skip}) => {
    skip(data === 'cifar10' && shared === undefined, 'BASIN_SHARED is not set, so there are no CIFAR-10 files');
    const cwd = await scratchFolder();
    const wanted = cases.filter((given) => given.data === data);
    for (const [place, {preprocessor}] of wanted.entries()) {
      const folder = join(cwd, `p${place}`);
      await mkdir(folder);
      for (const file of ['config.json', 'model.safetensors'])
        await cp(join(fixture('p16-64'), file), join(folder, file));
      await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(preprocessor));
    }
    const [{classes, n} = {classes: 0, n: 0}] = wanted;
    const chosen = `classes: [${[...Array(classes).keys()].join(', ')}], limit: {train: 1, test: ${n}}`;
    await writeFile(
      join(cwd, 'a.yaml'),
      `stages:
  load: {uses: pretrain-load, sweep: {source: [${wanted.map((_, place) => `./p${place}`).join(', ')}]}}
  evaluate: {uses: evaluate, in: {weights: load.weights}, with: {data: {name: ${data}, ${ROOTS[data]}${chosen}}}}
`,
    );
    expect(await basin(['run', 'a.yaml', '--backend', BACKEND], {cwd})).toMatchObject({code: 0});
    const {stdout} = await basin(['show', 'a.yaml', 'evaluate.summary', '--backend', BACKEND, '--format', 'json'], {
      cwd,
    });
    const rows = rowSchema.parse(JSON.parse(stdout));
    expect(rows).toHaveLength(wanted.length);
    for (const [place, {right, loss}] of wanted.entries()) {
      const row = rows.find(({source}) => source === `./p${place}`);
      expect(row).toMatchObject({n, accuracy: (100 * right) / n});
      expect(Math.abs((row?.loss ?? Number.NaN) - loss)).toBeLessThan(1e-6);
    }
  },
);
