import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {registry} from '../../src/cli/registry.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {studentT} from '../../stages/lib/student-t.ts';
import summarize from '../../stages/summarize.ts';
import {basin, scratchFolder} from '../cli/basin.ts';
import {graphOf, idsOf} from '../rig/read-text.ts';
import {recordingServices} from '../training/services.ts';

test.each([
  // The table of the t distribution (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
  [0.95, 1, 12.706],
  [0.95, 2, 4.303],
  [0.95, 3, 3.182],
  [0.95, 4, 2.776],
  [0.95, 9, 2.262],
  [0.95, 30, 2.042],
  [0.95, 100, 1.984],
  [0.8, 7, 1.415],
  [0.99, 10, 3.169],
])('Student’s t for a confidence of %d and %d degrees of freedom is %d', (confidence, degrees, t) => {
  expect(studentT(confidence, degrees)).toBeCloseTo(t, 3);
});

type Table = readonly object[];
/** Each table as that of one replicate. */
const gathered = (tables: readonly Table[]) => tables.map((value, replicate) => ({axes: {replicate}, value}));
const run = (inputs: object, columns: readonly string[], by?: readonly string[]) =>
  summarize.run({
    params: {columns, ...(by && {by: [...by]})},
    inputs: {...inputs},
    services: recordingServices().services,
  });

test.each(['tables', 'points'])(
  'each split and column of %s has mean, standard deviation and interval',
  async (input) => {
    const tables = [1, 2, 3, 6].map((error) => [
      {split: 'test', error, loss: 1},
      {split: 'train', error: 2 * error, loss: 1},
    ]);
    const {summary} = await run({[input]: gathered(tables)}, ['error', 'loss']);
    // mean 3, s² = (4 + 1 + 0 + 9) / 3
    const sd = Math.sqrt(14 / 3);
    const half = (3.18244630528 * sd) / 2;
    expect(summary).toEqual([
      {
        split: 'test',
        column: 'error',
        n: 4,
        mean: 3,
        sd,
        low: expect.closeTo(3 - half, 9),
        high: expect.closeTo(3 + half, 9),
      },
      {split: 'test', column: 'loss', n: 4, mean: 1, sd: 0, low: 1, high: 1},
      expect.objectContaining({split: 'train', column: 'error', mean: 6, sd: 2 * sd}),
      expect.objectContaining({split: 'train', column: 'loss'}),
    ]);
  },
);

test('one replicate, and a column that is not there, are refused', async () => {
  await expect(run({tables: gathered([[{error: 1}]])}, ['error'])).rejects.toThrow('One replicate has no spread.');
  await expect(run({tables: gathered([[{error: 1}], [{error: 1}]])}, ['eror'])).rejects.toThrow(
    'There are no numbers "eror".',
  );
});

test('a replicate without a row that the others have is named, and is not left out', async () => {
  const tests = {split: 'test', error: 1};
  const both = [{split: 'validation', error: 2}, tests];
  const hint =
    'Every replicate needs one, else the mean is of some of them: have the point give it, or take the point out of the sweep.';
  const refusal = async (tables: readonly Table[], by?: readonly string[]) => {
    const error = await run({tables: gathered(tables)}, ['error'], by).catch((thrown: unknown) => thrown);
    if (!(error instanceof StageError)) throw new Error('It is not refused', {cause: error});
    return [error.message, error.hint];
  };
  expect(await refusal([both, [tests], both, [tests]])).toEqual([
    'No row of the split validation is at replicate=1, nor at replicate=3.',
    hint,
  ]);
  expect(await refusal([both, [], both])).toEqual(['No row of the split validation is at replicate=1.', hint]);
  const layer = (name: string) => ({layer: name, error: 1});
  expect(await refusal([[layer('a'), layer('b')], [layer('a')]], ['layer'])).toEqual([
    'No row of layer=b is at replicate=1.',
    hint,
  ]);
  expect(await refusal([[], []])).toEqual(['The tables have no rows.', 'Have each replicate give one.']);
});

test('a replicate without end is named, and is not said to have diverged here', async () => {
  const tables = gathered([[{split: 'test', loss: 1}], [{split: 'test', loss: Number.POSITIVE_INFINITY}]]);
  const error = await run({tables}, ['loss']).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    message: '"loss" is Infinity at replicate=1, in the split test, so that it has no mean and no spread.',
    hint: 'Take the point out of the sweep, or have it give a finite number.',
  });
  const huge = gathered([[{loss: 1.5e308}], [{loss: 1.6e308}]]);
  await expect(run({tables: huge}, ['loss'])).rejects.toThrow(
    'The numbers of "loss" are too large to have a mean and a spread.',
  );
});

test('several rows of one replicate are not taken for replicates', async () => {
  const layers = [
    {layer: 0, error: 1},
    {layer: 1, error: 2},
  ];
  await expect(run({tables: gathered([layers, layers])}, ['error'])).rejects.toThrow(
    'At replicate=0 there are 2 rows, and one number of each replicate is summarized.',
  );
  const perSplit = layers.map((row) => ({split: 'test', ...row}));
  await expect(run({tables: gathered([perSplit, perSplit])}, ['error'])).rejects.toThrow('2 rows of the split test,');
});

test('what `by` tells apart is summarized apart: layers of layerwise, measures of instability, tensors of compare-masks', async () => {
  const tables = [1, 3].map((seed) =>
    ['test', 'train'].flatMap((split) =>
      ['embeddings', 'layer.0'].flatMap((layer, place) =>
        ['a', 'b'].map((rest) => ({layer, rest, split, error_barrier: seed * 10 ** place + (rest === 'b' ? 0.5 : 0)})),
      ),
    ),
  );
  const {summary} = await run({tables: gathered(tables)}, ['error_barrier'], ['layer', 'rest']);
  expect(summary).toHaveLength(8);
  expect(Array.isArray(summary) && summary.slice(0, 4)).toEqual([
    expect.objectContaining({layer: 'embeddings', rest: 'a', split: 'test', n: 2, mean: 2, sd: Math.SQRT2}),
    expect.objectContaining({layer: 'embeddings', rest: 'b', split: 'test', n: 2, mean: 2.5}),
    expect.objectContaining({layer: 'layer.0', rest: 'a', split: 'test', n: 2, mean: 20}),
    expect.objectContaining({layer: 'layer.0', rest: 'b', split: 'test', n: 2, mean: 20.5}),
  ]);
  await expect(run({tables: gathered(tables)}, ['error_barrier'], ['layer'])).rejects.toThrow(
    'At replicate=0 there are 2 rows of the split test, layer=embeddings, and',
  );
  await expect(run({tables: gathered(tables)}, ['error_barrier'], ['tensor'])).rejects.toThrow(
    'There is no column "tensor".',
  );
  const masks = [0.2, 0.4].map((jaccard) => [{tensor: '(all)', jaccard}]);
  expect((await run({tables: gathered(masks)}, ['jaccard'], ['tensor'])).summary).toEqual([
    expect.objectContaining({tensor: '(all)', split: '', n: 2, mean: expect.closeTo(0.3, 12)}),
  ]);
  for (const by of [[], ['split'], ['mean']])
    expect(summarize.params.safeParse({columns: ['error'], by}).success).toBe(false);
});

test('the named columns are in the stored table, and claims may speak of them', async () => {
  const cwd = await scratchFolder();
  await writeFile(
    join(cwd, 'p.yaml'),
    `
stages:
  a: {uses: pretrain-load, with: {source: random, seed: "\${replicate}", model: {model: mlp, hidden: [4]}}, sweep: {replicate: [1, 2, 3]}}
  small: {uses: magnitude-prune, in: {weights: a.weights}, with: {rule: exact, keep: 0.5}}
  random: {uses: random-mask, in: {mask: small.mask}}
  compared: {uses: compare-masks, in: {a: small.mask, b: random.mask}}
  overlap: {uses: summarize, in: {tables: compared.summary}, with: {columns: [jaccard, kept_a], by: [tensor]}}
expect:
  - {of: overlap.summary, where: "tensor == '(all)' && column == 'kept_a'", that: "mean == 1568.0 && sd == 0.0 && n == 3"}
`,
  );
  const {code, stdout, stderr} = await basin(['run', 'p.yaml'], {cwd});
  expect(code, stdout + stderr).toBe(0);
  const shown = await basin(['show', 'p.yaml', 'overlap.summary', '--format', 'csv'], {cwd});
  expect(shown.stdout.split('\n')[0]).toBe('tensor,split,column,n,mean,sd,low,high');
  expect(shown.stdout).toContain('\nfc1.weight,,jaccard,3,');
  const wrong = (await readFile(join(cwd, 'p.yaml'), 'utf8')).replace('"tensor ==', '"tensr ==');
  await writeFile(join(cwd, 'p.yaml'), wrong);
  expect((await basin(['plan', 'p.yaml'], {cwd})).stderr).toContain('Did you mean "tensor"?');
});

test('what is summarized is connected once', async () => {
  const tables = gathered([[{split: 'test', error: 1}], [{split: 'test', error: 2}]]);
  for (const inputs of [{}, {tables, points: tables}])
    await expect(run(inputs, ['error'])).rejects.toThrow('Either `tables` or `points` is summarized.');
});

test('over the replicates of a line there is a summary for each alpha, which a curve with its band is drawn of', () => {
  const graph = graphOf(
    `
stages:
  load: {uses: pretrain-load, with: {source: random, seed: "\${replicate}", model: {model: mlp}}, sweep: {replicate: [1, 2, 3]}}
  path: {uses: interpolate, in: {a: load.weights, b: load.weights}, with: {data: {name: mnist}}, sweep: {alpha: [0, 0.5, 1]}}
  curve: {uses: summarize, in: {points: path.points}, with: {columns: [loss, error]}}
`,
    {},
    registry,
  );
  expect(idsOf(graph).filter((id) => id.startsWith('curve'))).toEqual([
    'curve[alpha=0]',
    'curve[alpha=0.5]',
    'curve[alpha=1]',
  ]);
});
