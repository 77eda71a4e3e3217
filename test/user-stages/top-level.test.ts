import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
import {expectContract} from '../cli/json-contract.ts';

/** A stage whose file begins with this. */
const stageWith = (top: string): string => `import {defineStage, z} from 'lossbasin';
${top}
export default defineStage({
  name: 'mine', doc: 'Mine.', params: z.strictObject({}), inputs: {}, computes: 'plain',
  outputs: {summary: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}},
  run: async () => ({summary: [{value: 1}]}),
});
`;

async function folderWith(top: string): Promise<string> {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'mine.ts'), stageWith(top));
  await writeFile(join(cwd, 'p.yaml'), 'stages: {a: {uses: ./mine.ts}}\n');
  return cwd;
}

test('every command ends when it is done, whatever a stage file left open at its top', async () => {
  const cwd = await folderWith('setInterval(() => {}, 1000);');
  for (const args of [
    ['plan', 'p.yaml'],
    ['run', 'p.yaml'],
    ['show', 'p.yaml', 'a.summary'],
    ['log', 'p.yaml', 'a'],
  ])
    expect(await basin(args, {cwd}), args.join(' ')).toMatchObject({code: 0});
});

test('what is told before the end is told whole', async () => {
  const cwd = await folderWith('setInterval(() => {}, 1000);');
  const text = `stages:
  a: {uses: ./mine.ts}
  n: {run: [echo, "\${n}"], sweep: {n: {linspace: [1, 5000, 5000]}}}
`;
  await writeFile(join(cwd, 'q.yaml'), text);
  const {code, stdout, stderr} = await basin(['plan', 'q.yaml', '--json'], {cwd});
  expect(code, stderr + stdout).toBe(0);
  expect(JSON.parse(stdout).instances).toHaveLength(5001);
});

const BREAKING: readonly (readonly [top: string, told: RegExp])[] = [
  ['process.exit(0);', /^mine\.ts:2:9 bad-stage-file\nHere process\.exit ends basin/],
  [`import {exit} from 'node:process';\nexit(0);`, /^mine\.ts:3:1 bad-stage-file\nHere process\.exit ends basin/],
  ['Promise.resolve().then(() => process.exit(0));', /^mine\.ts:2:\d+ bad-stage-file\nHere process\.exit ends basin/],
  [
    'await new Promise(() => {});',
    /^mine\.ts:2:1 bad-stage-file\nmine\.ts cannot be loaded: an await at the top .* never ends/,
  ],
  [
    `Promise.reject(new TypeError('too late'));`,
    /^mine\.ts:2:16 bad-stage-file\nThis broke after the file had been loaded: TypeError: too late\n/,
  ],
  [`Promise.reject('a text');`, /^bad-stage-file: Something broke after mine\.ts had been loaded: 'a text'\n/],
];

for (const [top, told] of BREAKING) {
  test(`a file that does this at its top is told of: ${top}`, async () => {
    const cwd = await folderWith(top);
    const planned = await basin(['plan', 'p.yaml'], {cwd});
    expect(planned).toMatchObject({code: 2, stdout: ''});
    expect(planned.stderr).toMatch(told);
    expect(planned.stderr).not.toMatch(STACK);
    const json = await basin(['plan', 'p.yaml', '--json'], {cwd});
    expect(json).toMatchObject({code: 2, stderr: ''});
    expectContract('errors', JSON.parse(json.stdout));
  });
}

test('what a file prints when it is loaded is no output of a command', async () => {
  const cwd = await folderWith(`console.log('from the top'); console.table([1]);`);
  const planned = await basin(['plan', 'p.yaml', '--json'], {cwd});
  expectContract('plan', JSON.parse(planned.stdout));
  expect(planned.stderr).toMatch(/^from the top\n/);
  const run = await basin(['run', 'p.yaml', '--json'], {cwd});
  for (const event of jsonLines(run.stdout)) expectContract('run-event', event);
  const shown = await basin(['show', 'p.yaml', 'a.summary', '--format', 'csv'], {cwd});
  expect(shown.stdout).toBe('value\n1\n');
});
