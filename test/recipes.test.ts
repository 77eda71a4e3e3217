import {spawnSync} from 'node:child_process';
import {cpSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {environment, scratchFolder} from './cli/basin.ts';
import {ROOT, read, sections} from './pages.ts';

const PARTS = [
  'src',
  'stages',
  'test',
  'docs',
  'pipelines',
  'bench',
  'bin',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];

/** A copy of the repository to try a recipe in. */
async function copy(): Promise<string> {
  const root = await scratchFolder();
  for (const part of PARTS)
    cpSync(join(ROOT, part), join(root, part), {recursive: true, filter: (path) => !path.endsWith('node_modules')});
  for (const packages of ['node_modules', 'bin/node/node_modules'])
    symlinkSync(join(ROOT, packages), join(root, packages));
  return root;
}

interface Edit {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The edits of a recipe as it is written: fences of `diff PATH`. */
function editsOf(recipe: string): readonly Edit[] {
  const [section = ''] = sections('docs/recipes.md', recipe);
  return [...section.matchAll(/^```diff (\S+)\n(.*?)^```/gms)].map(([, path = '', body = '']) => {
    const lines = body.split('\n').slice(0, -1);
    const side = (sign: string): string =>
      lines.flatMap((line) => (line[0] === ' ' || line[0] === sign ? [`${line.slice(1)}\n`] : [])).join('');
    return {path, before: side('-'), after: side('+')};
  });
}

function edited(text: string, {path, before, after}: Edit): string {
  expect(text.split(before), `${path} has once\n${before}`).toHaveLength(2);
  return text.replace(before, () => after);
}

const make = (root: string, edit: Edit): void =>
  writeFileSync(join(root, edit.path), edited(readFileSync(join(root, edit.path), 'utf8'), edit));

function sh(root: string, command: string): {readonly status: number | null; readonly told: string} {
  const env = environment(join(root, 'cache'));
  const {status, stdout, stderr} = spawnSync('sh', ['-c', command], {cwd: root, env, encoding: 'utf8'});
  return {status, told: stdout + stderr};
}

const expectFine = (root: string, command: string): string => {
  const {status, told} = sh(root, command);
  expect(status, `${command}\n${told}`).toBe(0);
  return told;
};
// Not the launcher: it would set up the packages of the copy, which are this checkout's.
const NODE = `'${process.execPath}'`;
const BASIN = `${NODE} src/cli/main.ts`;
const VITEST = `${NODE} node_modules/vitest/vitest.mjs run`;
const SCHEMA = `${BASIN} schema > pipelines/pipeline.schema.json`;
const TYPES = 'node_modules/.bin/tsc -p . --noEmit';

const TIME = {timeout: 180_000};
const tryAll = test.runIf(process.env.BASIN_ALL);

test.for(['Adding a way to write an axis', 'Adding an artifact kind'])('%s: its edits fit the files', (recipe) => {
  const edits = editsOf(recipe);
  expect(edits).toHaveLength(7);
  const texts = new Map<string, string>();
  for (const edit of edits) texts.set(edit.path, edited(texts.get(edit.path) ?? read(edit.path), edit));
});

tryAll('a way to write an axis is added as the recipe says', TIME, async () => {
  const root = await copy();
  const edits = editsOf('Adding a way to write an axis');
  expect(edits).toHaveLength(7);
  for (const edit of edits) make(root, edit);
  expectFine(root, SCHEMA);
  expectFine(root, TYPES);
  expectFine(root, `${VITEST} test/spec/sweeps.test.ts test/spec/schema-file.test.ts`);
  writeFileSync(
    join(root, 'p.yaml'),
    'stages: {a: {run: [echo, "$' + '{k}"], sweep: {k: {geometric: [1, 0.5, 0.8]}}}}\n',
  );
  const told = expectFine(root, `${BASIN} plan p.yaml --all`);
  expect(told).toContain('a[k=0.64]: run');
});

tryAll('an artifact kind is added as the recipe says', TIME, async () => {
  const root = await copy();
  const edits = editsOf('Adding an artifact kind');
  expect(edits).toHaveLength(7);
  // tsc names what is left when only the first step was taken
  for (const edit of edits.slice(0, 3)) make(root, edit);
  expect(sh(root, TYPES)).toMatchObject({status: 1, told: expect.stringContaining('src/artifact/decode.ts')});
  for (const edit of edits.slice(3)) make(root, edit);
  expectFine(root, SCHEMA);
  expectFine(root, TYPES);
  const {status, told} = sh(root, `${VITEST} test/artifact/round-trip.test.ts --no-color`);
  expect(status, told).toBe(1);
  const digest = /\+ +"spectra": "([0-9a-f]{64})"/.exec(told)?.[1] ?? told;
  make(root, {path: 'test/artifact/round-trip.test.ts', before: "'DIGEST'", after: `'${digest}'`});
  expectFine(root, `${VITEST} test/artifact test/spec/schema-file.test.ts`);
  writeFileSync(
    join(root, 'p.yaml'),
    `stages: {a: {run: [sh, -c, 'echo "[{\\"tensor\\": \\"w\\", \\"place\\": 0, \\"value\\": 2.5}]" >"$0"', "\${out.s}"], out: {s: {kind: spectra, extension: json}}}}`,
  );
  expectFine(root, `${BASIN} run p.yaml`);
  expect(JSON.parse(expectFine(root, `${BASIN} show p.yaml a.s --format json`))).toEqual([
    {tensor: 'w', place: 0, value: 2.5},
  ]);
});
