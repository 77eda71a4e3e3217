import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, STACK, scratchFolder} from '../cli/basin.ts';

const STAGE = `import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: 'mine', doc: 'Mine.', params: z.strictObject({}), inputs: {}, computes: 'plain',
  outputs: {summary: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}},
  run: async () => ({summary: [{value: 1}]}),
});
`;

const BROKEN: readonly (readonly [string, string, RegExp])[] = [
  [
    'a syntax error',
    `const a = 1;\nconst b = = 2;\n`,
    /^mine\.ts:2:11 bad-stage-file\n.*cannot be loaded: SyntaxError: .*\n {2}const b = = 2;\n {12}\^\nMend the file/,
  ],
  ['what cannot be stripped', `export const a = 1;\nenum B {c}\n`, /^mine\.ts:2:\d+ bad-stage-file\n.*enum/],
  [
    'no stage',
    `export const a = 1;\n`,
    /^mine\.ts:1:1 bad-stage-file\nThis file exports no stage by default\.\n {2}export const a = 1;\n {2}\^+\nWrite export default defineStage/,
  ],
  [
    'something else',
    `export default {name: 'x'};\n`,
    /^mine\.ts:1:1 bad-stage-file\nWhat this file exports by default was not made by defineStage\./,
  ],
  [
    'a kind that there is not',
    STAGE.replace(`kind: 'summary'`, `kind: 'sumary'`),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "outputs\.summary\.kind" is not right/,
  ],
  [
    'a type of column that there is not',
    STAGE.replace(`'float64'`, `'float'`),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "outputs\.summary\.columns\.value" is not right: Invalid option/,
  ],
  [
    'a name that no file has',
    STAGE.replace('summary:', `'a/b':`),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "outputs\.a\/b" is not right: a name has letters, digits, dashes and underscores\.\n/,
  ],
  [
    'no run',
    STAGE.replace('run: async', 'walk: async'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "run" must be a function, and is nothing\.\n.*\n {17}\^\nSee "Adding your own stage"/,
  ],
  [
    'what is no function',
    STAGE.replace('run: async', 'foresee: 3, run: async'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "foresee" must be a function, and is 3\.\n/,
  ],
  [
    'a runMany that is none',
    STAGE.replace('run:', 'runMany: true, run:'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "runMany" must be a function, and is true\.\n/,
  ],
  [
    'what foresees nothing',
    STAGE.replace('run:', 'foresee: {seconds: 1}, run:'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "foresee" must be a function, and is a map\.\n/,
  ],
  [
    'what checks nothing',
    STAGE.replace('run:', 'checkUpstream: "none", run:'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "checkUpstream" must be a function, and is the text "none"\.\n/,
  ],
  [
    'a source that finds nothing',
    STAGE.replace('run:', 'sources: {data: "cifar10"}, run:'),
    /^mine\.ts:2:16 bad-stage-file\nThe stage's "sources\.data" must be a function, and is the text "cifar10"\.\n/,
  ],
  [
    'no name',
    STAGE.replace(`name: 'mine', `, ''),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "name" is not right: Invalid input: expected string, received undefined\./,
  ],
  [
    'a doc of another sort',
    STAGE.replace(`doc: 'Mine.'`, 'doc: ["Mine."]'),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "doc" is not right: Invalid input: expected string, received array\./,
  ],
  [
    'params that are no schema',
    STAGE.replace('z.strictObject({})', '{}'),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "params" is not right: it must be a zod schema; import \{z\} from "lossbasin"\./,
  ],
  [
    'a misspelt key of an output',
    STAGE.replace('columns:', `column: {}, columns:`),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "outputs\.summary" is not right: Unrecognized key: "column"\./,
  ],
  [
    'an input that gathers over what is no list',
    STAGE.replace('inputs: {}', `inputs: {a: {kind: 'points', doc: 'All.', many: {over: 'alpha'}}}`),
    /^mine\.ts:2:1 bad-stage-file\nThe stage's "inputs\.a\.many\.over" is not right: it must be a list of names of axes, or "all"\./,
  ],
  [
    'what breaks when it is loaded',
    `const a: {b?: {c: number}} = {};\nexport const d = a.b.c;\n`,
    /^mine\.ts:2:\d+ bad-stage-file\n.*TypeError: Cannot read properties of undefined.*\n {2}export const d = a\.b\.c;/,
  ],
  [
    'a file that is not there',
    `import {x} from './other.ts';\nexport default x;\n`,
    /^mine\.ts:1:18 bad-stage-file\n"\.\/other\.ts" cannot be imported: .*\n {2}import \{x\} from '\.\/other\.ts';\n {19}\^+\n/,
  ],
  [
    'a file without its ending',
    `import {x} from './other';\nexport default x;\n`,
    /Write the name of the file with its ending: "\.\/other\.ts"\.$/,
  ],
  [
    'a package that is not there',
    `import x from 'no-such-package';\nexport default x;\n`,
    /^mine\.ts:1:16 bad-stage-file\n"no-such-package" cannot be imported: .*/,
  ],
  [
    'a name that is not exported',
    `import {defineStag} from 'lossbasin';\nexport default defineStag;\n`,
    /^mine\.ts:1:\d+ bad-stage-file\n.*export named 'defineStag'/,
  ],
  [
    'an import that nobody can follow',
    `// import('x')\nexport const load = (name: string) => import(name);\n`,
    /^mine\.ts:2:39 bad-stage-file\nThis import is made while the stage runs\.\n.*\n {40}\^+\nImport it at the top/,
  ],
];

test('whatever is wrong with a stage file is told with its place, of all files at once', async () => {
  const cwd = await scratchFolder();
  const nodes = await Promise.all(
    BROKEN.map(async ([, text], index) => {
      await writeFile(join(cwd, `mine${index}.ts`), text);
      return `  n${index}: {uses: ./mine${index}.ts}`;
    }),
  );
  await writeFile(join(cwd, 'whole.ts'), STAGE);
  await writeFile(
    join(cwd, 'p.yaml'),
    ['stages:', '  whole: {uses: ./whole.ts}', ...nodes, '  none: {uses: ./none.ts}'].join('\n'),
  );
  const {code, stderr} = await basin(['plan', 'p.yaml'], {cwd});
  expect(code).toBe(2);
  expect(stderr).not.toMatch(STACK);
  const told = stderr.split('\n\n').map((fault) => fault.replaceAll(/mine\d+\.ts/g, 'mine.ts'));
  for (const [what, , expected] of BROKEN)
    expect(
      told.filter((fault) => expected.test(fault)),
      `${what}\n${stderr}`,
    ).toHaveLength(1);
  expect(told).toContainEqual(expect.stringMatching(/^p\.yaml:\d+:16 no-stage-file\nThere is no file none\.ts\./));
  expect(told).toHaveLength(BROKEN.length + 2);
});

test('all that is wrong with a declaration is told at once, and by a run before anything runs', async () => {
  const cwd = await scratchFolder();
  const wrong = STAGE.replace(`name: 'mine', `, '').replace(`'summary'`, `'sumary'`).replace('plain', 'planes');
  await writeFile(join(cwd, 'mine.ts'), wrong);
  await writeFile(join(cwd, 'p.yaml'), 'stages: {n: {uses: ./mine.ts, sweep: {p: [1, 2]}}, echo: {run: [echo]}}');
  const {code, stderr} = await basin(['run', 'p.yaml'], {cwd});
  expect(code).toBe(2);
  expect(stderr.match(/The stage's "[\w.]+"/g)).toEqual([
    `The stage's "name"`,
    `The stage's "outputs.summary.kind"`,
    `The stage's "computes"`,
  ]);
});
