import {cp, mkdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin, STACK} from '../cli/basin.ts';
import {runJson} from '../cli/run-study.ts';
import {ON_BACKEND} from '../cli/study.ts';
import {editFile, recipeFolder} from './recipe.ts';

const SIDE = 8;

/** Pictures of the recipe's format: class 0 has upright stripes, class 1 level ones, one picture after the other. */
function stripes(n: number): Uint8Array {
  return Uint8Array.from({length: n * (1 + SIDE ** 2)}, (_, index) => {
    const [picture, place] = [Math.floor(index / (1 + SIDE ** 2)), (index % (1 + SIDE ** 2)) - 1];
    const label = picture % 2;
    if (place < 0) return label;
    const at = label === 0 ? place % SIDE : Math.floor(place / SIDE);
    return (at + picture) % 4 < 2 ? 30 : 220;
  });
}

async function recipe(): Promise<string> {
  const folder = await recipeFolder('Adding a data set', 'stripes.ts');
  await mkdir(join(folder, 'pictures'));
  await writeFile(join(folder, 'pictures', 'train.bin'), stripes(90));
  await writeFile(join(folder, 'pictures', 'test.bin'), stripes(20));
  return folder;
}

const run = (cwd: string, cache?: string) =>
  runJson(['study.yaml', ...ON_BACKEND], {cwd, ...(cache !== undefined && {cache})});

test("the recipe's data set is trained on, and its code and its files are in the key, where they lie is not", async () => {
  const cwd = await recipe();
  const cache = join(cwd, 'cache');
  expect((await run(cwd)).ids('ran')).toEqual(['start', 'tuned']);
  const shown = await basin(['show', 'study.yaml', 'tuned.summary', '--format', 'json', ...ON_BACKEND], {cwd});
  expect(JSON.parse(shown.stdout)).toMatchObject([
    {split: 'validation', n: 10},
    {split: 'test', n: 20, error: 0},
  ]);

  const moved = join(cwd, 'moved');
  await mkdir(join(moved, 'code'), {recursive: true});
  await cp(join(cwd, 'stripes.ts'), join(moved, 'code', 'stripes.ts'));
  await rename(join(cwd, 'pictures'), join(moved, 'code', 'pictures'));
  await cp(join(cwd, 'study.yaml'), join(moved, 'study.yaml'));
  await editFile(join(moved, 'study.yaml'), './stripes.ts, root: pictures', './code/stripes.ts, root: code/pictures');
  expect((await run(moved, cache)).ids('ran')).toEqual([]);

  await writeFile(join(moved, 'code', 'pictures', 'test.bin'), stripes(18));
  expect((await run(moved, cache)).ids('ran')).toEqual(['tuned']);
  await editFile(join(moved, 'code', 'stripes.ts'), 'const n = bytes', 'const n: number = bytes');
  expect((await run(moved, cache)).ids('ran')).toEqual(['tuned']);
}, 60_000);

test('what the schema of settings transforms is transformed once', async () => {
  const cwd = await recipe();
  await editFile(join(cwd, 'stripes.ts'), '.default(8)', '.transform((half) => 2 * half).prefault(4)');
  await editFile(join(cwd, 'study.yaml'), 'side: 8', 'side: 4');
  expect((await run(cwd)).ids('ran')).toEqual(['start', 'tuned']);
  await editFile(join(cwd, 'study.yaml'), ', settings: {side: 4}', '');
  expect((await run(cwd)).ids('cached')).toEqual(['start', 'tuned']);
}, 60_000);

test('a path alone names a data set whose files lie beside it', async () => {
  const cwd = await recipe();
  const short = 'data: ./pictures/stripes.ts';
  await rename(join(cwd, 'stripes.ts'), join(cwd, 'pictures', 'stripes.ts'));
  const whole = 'data: {name: ./stripes.ts, root: pictures, settings: {side: 8}, validation: {n: 10}}';
  await editFile(join(cwd, 'study.yaml'), whole, short);
  expect((await run(cwd)).ids('ran')).toEqual(['start', 'tuned']);
  await editFile(join(cwd, 'study.yaml'), short, 'data: {name: ./pictures/stripes.ts, settings: {side: 8}}');
  expect((await run(cwd)).ids('cached')).toEqual(['start', 'tuned']);
}, 60_000);

test('a cache that lies among the files of a data set is none of them', async () => {
  const cwd = await recipe();
  await editFile(join(cwd, 'stripes.ts'), 'files: () => Object.values(FILES)', "files: () => ['.']");
  await editFile(join(cwd, 'study.yaml'), 'root: pictures', 'root: .');
  await editFile(
    join(cwd, 'stripes.ts'),
    "{train: 'train.bin', test: 'test.bin'}",
    "{train: 'pictures/train.bin', test: 'pictures/test.bin'}",
  );
  expect((await run(cwd)).ids('ran')).toEqual(['start', 'tuned']);
  expect((await run(cwd)).ids('ran')).toEqual([]);
}, 60_000);

const FAULTS: readonly (readonly [what: string, edit: (folder: string) => Promise<void>, expected: RegExp])[] = [
  [
    'a label beyond the classes',
    (folder) => editFile(join(folder, 'stripes.ts'), 'classes: 2', 'classes: 1'),
    /stripes\.ts: train has the label 1 at picture 1, and there are 1 classes\./,
  ],
  [
    'too few bytes',
    (folder) => editFile(join(folder, 'stripes.ts'), 'new Uint8Array(n * size)', 'new Uint8Array(n * size + 3)'),
    /stripes\.ts: train has 90 labels, so it needs 90 × 1 × 8 × 8 = 5760 bytes in a Uint8Array, and has 5763\./,
  ],
  [
    "the file's own fault",
    (folder) => editFile(join(folder, 'study.yaml'), 'side: 8', 'side: 9'),
    /stripes\.ts:19:\d+: train\.bin ends within a picture\.[\s\S]*Check `side`\./,
  ],
  [
    'a file that is not declared',
    (folder) => editFile(join(folder, 'stripes.ts'), 'files: () => Object.values(FILES)', "files: () => ['test.bin']"),
    /The file train\.bin was not declared\./,
  ],
];

test.for(FAULTS)('%s is told, and without a stack', {timeout: 60_000}, async ([, edit, expected]) => {
  const cwd = await recipe();
  await edit(cwd);
  const {code, stdout, stderr} = await basin(['run', 'study.yaml', ...ON_BACKEND], {cwd});
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(expected);
  expect(stdout + stderr).not.toMatch(STACK);
});

const UNRESOLVED: typeof FAULTS = [
  ['no file', (folder) => rm(join(folder, 'stripes.ts')), /There is no file stripes\.ts\./],
  [
    'no pictures',
    (folder) => rm(join(folder, 'pictures', 'test.bin')),
    /The file test\.bin of the data set is not in its root\./,
  ],
  [
    'files elsewhere',
    (folder) => editFile(join(folder, 'stripes.ts'), "'train.bin'", "'../train.bin'"),
    /The file \.\.\/train\.bin of the data set lies outside of its root\./,
  ],
  [
    'a setting that there is not',
    (folder) => editFile(join(folder, 'study.yaml'), 'side: 8', 'size: 8'),
    /stripes\.ts: its settings are not right: .*size/,
  ],
  [
    'a setting that no key can hold',
    (folder) =>
      editFile(
        join(folder, 'stripes.ts'),
        '.default(8)',
        '.default(8), most: z.number().prefault(1).transform(BigInt)',
      ),
    /stripes\.ts: its setting most becomes a BigInt, which no key can hold\./,
  ],
  [
    'no data set',
    (folder) => writeFile(join(folder, 'stripes.ts'), 'export default 3;\n'),
    /What stripes\.ts exports by default was not made by defineDataSet\./,
  ],
];

test.for(UNRESOLVED)('%s is a reason of the plan', async ([, edit, expected]) => {
  const cwd = await recipe();
  await edit(cwd);
  const {stdout} = await basin(['plan', 'study.yaml', '--json', ...ON_BACKEND], {cwd});
  const {instances} = z
    .object({instances: z.array(z.object({id: z.string(), verdict: z.string(), reason: z.string()}))})
    .parse(JSON.parse(stdout));
  expect(instances.find(({id}) => id === 'tuned')).toMatchObject({
    verdict: 'unresolved',
    reason: expect.stringMatching(expected),
  });
});
