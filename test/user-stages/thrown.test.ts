import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin, jsonLines, STACK, scratchFolder} from '../cli/basin.ts';

/** What is thrown, and what is told of it. */
const THROWN = {
  'no-prototype': ['Object.create(null)', '[Object: null prototype] {}'],
  'deaf-proxy': [`new Proxy({}, {get() { throw new Error('no'); }})`, '{}'],
  'deaf-error': [`new Proxy(new Error('real'), {get() { throw new Error('no'); }})`, 'Error: real'],
  'blank-proxy': [`new Proxy({}, {getPrototypeOf() { throw new Error('no'); }})`, '{}'],
  'deaf-message': [
    `Object.defineProperty(new Error(), 'message', {get() { throw new Error('no'); }})`,
    '[object Error]',
  ],
  'deaf-code': [`Object.defineProperty(new Error('real'), 'code', {get() { throw new Error('no'); }})`, 'real'],
  'odd-message': [`Object.assign(new Error(), {message: {code: 3n}})`, 'Error: [object Object]'],
  object: ['{code: 3}', '{ code: 3 }'],
  'says-it': [`{toString: () => 'in its own words'}`, 'in its own words'],
  symbol: [`Symbol('mine')`, 'Symbol(mine)'],
  nothing: ['undefined', 'undefined'],
  text: [`'a text'`, 'a text'],
  error: [`new TypeError('real')`, 'real'],
} as const;

const stage = (thrown: string): string => `import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: 'throws', doc: 'Throws.', params: z.strictObject({}), inputs: {}, computes: 'plain',
  outputs: {table: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}},
  run: async () => { throw ${thrown}; },
});
`;

const failed = z.object({id: z.string(), failure: z.object({message: z.string(), hint: z.string()})});

test('whatever a stage throws is told in words, and its worker lives on', async () => {
  const cwd = await scratchFolder();
  for (const [name, [thrown]] of Object.entries(THROWN)) await writeFile(join(cwd, `${name}.ts`), stage(thrown));
  const nodes = Object.keys(THROWN).map((name) => `  ${name}: {uses: ./${name}.ts}\n`);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${nodes.join('')}`);
  const {stdout} = await basin(['run', 'p.yaml', '--json', '--keep-going', '--jobs', '1'], {cwd});
  const told = jsonLines(stdout).flatMap((line) => failed.safeParse(line).data ?? []);
  const hint = 'This is a bug of the stage or of basin, and not of your pipeline.';
  expect(Object.fromEntries(told.map(({id, failure}) => [id, failure]))).toEqual(
    Object.fromEntries(
      Object.entries(THROWN).map(([name, [, words]]) => [name, {message: `The stage broke: ${words}`, hint}]),
    ),
  );
});

test.each([
  ['Object.create(null)', '[Object: null prototype] {}'],
  [`new Proxy({}, {getPrototypeOf() { throw new Error('no'); }})`, '{}'],
])('and so is what the top of its file throws: %s', async (thrown, words) => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'mine.ts'), `throw ${thrown};\n`);
  await writeFile(join(cwd, 'p.yaml'), 'stages: {a: {uses: ./mine.ts}}\n');
  const {code, stderr} = await basin(['plan', 'p.yaml'], {cwd});
  expect(code).toBe(2);
  expect(stderr).not.toMatch(STACK);
  expect(stderr).toContain(`mine.ts cannot be loaded: Error: ${words}`);
});
