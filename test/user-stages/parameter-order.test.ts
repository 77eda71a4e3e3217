import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin} from '../cli/basin.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

/** Writes what it is given as it gets it. */
const STAGE = `import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: 'echo',
  doc: 'Its parameters as text.',
  params: z.strictObject({
    any: z.any().describe('Anything.'),
    rates: z.record(z.string(), z.number()).describe('Rates by name.'),
  }),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'One row.', columns: {text: 'utf8'}}},
  computes: 'plain',
  run: async ({params}) => ({summary: [{text: JSON.stringify(params)}]}),
});
`;
const SORTED = '{any: [{a: 2, b: {c: 1, d: 0.5}}], rates: {x: 1, y: 2}}';
const OTHER = '{rates: {y: 2, x: 1}, any: [{b: {d: 0.50, c: 1}, a: 2}]}';
const pipeline = (params: string): string => `stages: {n: {uses: ./echo.ts, with: ${params}}}\n`;

test('a stage gets the maps of its parameters in one order, however they are written: their order is in no key', async () => {
  const {folder: cwd, write} = await writtenPipeline(pipeline(OTHER));
  await writeFile(join(cwd, 'echo.ts'), STAGE);
  const shown = async (): Promise<string> => {
    const {stdout} = await basin(['show', 'p.yaml', 'n.summary', '--format', 'json'], {cwd});
    return JSON.parse(stdout)[0].text;
  };
  expect(await basin(['run', 'p.yaml', '--quiet'], {cwd})).toMatchObject({code: 0});
  const text = '{"any":[{"a":2,"b":{"c":1,"d":0.5}}],"rates":{"x":1,"y":2}}';
  expect(await shown()).toBe(text);
  await write(pipeline(SORTED));
  const planned = await basin(['plan', 'p.yaml', '--json'], {cwd});
  expect(JSON.parse(planned.stdout)).toMatchObject({instances: [{id: 'n', verdict: 'cached'}]});
  expect(await basin(['run', 'p.yaml', '--force', 'n', '--quiet'], {cwd})).toMatchObject({code: 0});
  expect(await shown()).toBe(text);
});
