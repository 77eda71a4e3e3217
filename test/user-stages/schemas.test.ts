import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin} from '../cli/basin.ts';
import {runJson} from '../cli/run-study.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

/** Tells what it is given, wherever it is given parameters. No schema here takes what it gives. */
const STAGE = `import {defineStage, z} from 'lossbasin';
const rows = (params: unknown) => ({summary: [{text: JSON.stringify(params)}]});
export default defineStage({
  name: 'echo',
  doc: 'Its parameters as text.',
  params: z.strictObject({
    percent: z.number().min(0).max(100).transform((percent) => percent / 100).default(0.5),
    parts: z.string().transform((text) => text.split('+')).prefault('c+d'),
    twice: z.int().transform((x) => x * 2).prefault(1),
  }),
  inputs: {above: {kind: 'summary', doc: 'Rows.', optional: true}},
  outputs: {summary: {kind: 'summary', doc: 'One row.', columns: {text: 'utf8'}}},
  computes: 'plain',
  checkUpstream: (params, {inputs}) =>
    params.twice === 14
      ? {parameter: 'twice', message: JSON.stringify([params, inputs.above?.map(({params}) => params)]), hint: 'Well.'}
      : undefined,
  foresee: ({params}) => ({note: JSON.stringify(params)}),
  run: async ({params}) => rows(params),
  async *runMany({points}) {
    for (const [index, point] of points.entries()) yield {index, outputs: rows(point)};
  },
});
`;
const PIPELINE = `stages:
  written: {uses: ./echo.ts, with: {percent: 50, parts: c+d, twice: 1}}
  left-out: {uses: ./echo.ts}
  swept: {uses: ./echo.ts, with: {parts: a+b}, sweep: {twice: [3, 5]}}
`;
const DEFAULTS = '{"parts":["c","d"],"percent":0.5,"twice":2}';

test('what a schema transforms is transformed once, and the key has what the stage is given', async () => {
  const {folder: cwd, write} = await writtenPipeline(PIPELINE);
  await writeFile(join(cwd, 'echo.ts'), STAGE);
  const planned = await basin(['plan', 'p.yaml'], {cwd});
  expect(planned.stdout.split('{"percent":0.5,"parts":["c","d"],"twice":2}')).toHaveLength(3);
  const told = await runJson(['p.yaml', '--jobs', '1'], {cwd});
  expect(told.ids('failed')).toEqual([]);
  const textOf = async (node: string): Promise<unknown> => {
    const {stdout} = await basin(['show', 'p.yaml', `${node}.summary`, '--format', 'json'], {cwd});
    return JSON.parse(stdout);
  };
  expect(await textOf('written')).toEqual([{text: DEFAULTS}]);
  expect(await textOf('left-out')).toEqual([{text: DEFAULTS}]);
  expect(await textOf('swept')).toEqual([
    {twice: 3, text: '{"parts":["a","b"],"percent":0.5,"twice":6}'},
    {twice: 5, text: '{"parts":["a","b"],"percent":0.5,"twice":10}'},
  ]);

  await write(PIPELINE.replace('percent: 50', 'percent: 25').replace('twice: 1}', 'twice: 4}'));
  const explained = await basin(['explain', 'p.yaml', 'written', '--json'], {cwd});
  expect(JSON.parse(explained.stdout).changes).toEqual([
    {path: 'params.percent', before: 0.5, after: 0.25},
    {path: 'params.twice', before: 2, after: 8},
  ]);

  await write(`${PIPELINE}  below: {uses: ./echo.ts, in: {above: written.summary}, with: {twice: 7}}\n`);
  const refused = await basin(['plan', 'p.yaml', '--json'], {cwd});
  const [{message}] = JSON.parse(refused.stdout).errors;
  expect(message).toContain(
    '[{"percent":0.5,"parts":["c","d"],"twice":14},[{"percent":0.5,"parts":["c","d"],"twice":2}]]',
  );
}, 60_000);
