import {expect, test} from 'vitest';
import type {Row} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import select from '../../stages/select.ts';
import {recordingServices} from '../training/services.ts';

interface Table {
  readonly axes: JsonObject;
  readonly value: readonly Row[];
}

const at = (lr: number, ...value: readonly Row[]): Table => ({axes: {lr}, value});

/** What is chosen of networks that stand where the scores do. */
const choose = async (params: JsonObject, ...scores: readonly Table[]) => {
  const axes = [...new Set(scores.map((table) => table.axes.lr ?? 0))].map((lr) => ({lr}));
  const weights = axes.map((own) => ({axes: own, digest: `digest of lr=${own.lr}`}));
  const {summary} = await select.run({params, inputs: {scores, weights}, services: recordingServices().services});
  return summary;
};

/** Message and hint of what is refused. */
const refusal = async (params: JsonObject, ...scores: readonly Table[]) => {
  const error = await choose(params, ...scores).catch((thrown: unknown) => thrown);
  if (!(error instanceof StageError)) throw new Error('It is not refused', {cause: error});
  return [error.message, error.hint];
};

test('of several rows of a candidate none is taken for another candidate: `where` picks one', async () => {
  const rows = (accuracy: number): readonly Row[] => [
    {split: 'validation', column: 'accuracy', mean: accuracy},
    {split: 'validation', column: 'n', mean: 20},
    {split: 'test', column: 'accuracy', mean: 1},
  ];
  const scores = [at(0.1, ...rows(40)), at(0.2, ...rows(30))];
  expect(await refusal({by: 'mean'}, ...scores)).toEqual([
    'At lr=0.1 there are 2 scores of the split validation, and one of each candidate is compared. They differ in "column" ("accuracy", "n").',
    'Pick one, as in `where: {column: "accuracy"}`.',
  ]);
  expect(await choose({by: 'mean', best: 'max', where: {column: 'accuracy'}}, ...scores)).toEqual([
    {chosen: 'lr=0.1', by: 'mean', score: 40, candidates: 2},
  ]);
  expect(await refusal({by: 'mean', where: {column: 'loss'}}, ...scores)).toEqual([
    'No score has column="loss".',
    'The values of "column" are: "accuracy", "n".',
  ]);
  expect(await refusal({by: 'mean', where: {colunm: 'n'}}, ...scores)).toEqual([
    'The scores have no column "colunm".',
    'Did you mean "column"?',
  ]);
});

test('rows that only numbers tell apart are told by these, and alike ones as alike', async () => {
  const layers = [at(1, {layer: 0, error: 3}, {layer: 1, error: 4}), at(2, {layer: 0, error: 3}, {layer: 1, error: 4})];
  expect(await refusal({by: 'error'}, ...layers)).toEqual([
    'At lr=1 there are 2 scores, and one of each candidate is compared. They differ in "layer" (0, 1).',
    'Pick one, as in `where: {layer: 0}`.',
  ]);
  expect(await choose({by: 'error', where: {layer: 1}}, ...layers)).toEqual([
    {chosen: 'lr=1', by: 'error', score: 4, candidates: 2},
  ]);
  expect(await refusal({by: 'error'}, at(1, {error: 3}, {error: 4}))).toEqual([
    'At lr=1 there are 2 scores, and one of each candidate is compared.',
    'Have what scores give one row of each candidate.',
  ]);
});

test('scores along an axis that no candidate has are several of one candidate', async () => {
  const scores = [1, 2].flatMap((lr) =>
    [1, 2].map((replicate): Table => ({axes: {lr, replicate}, value: [{error: lr * replicate}]})),
  );
  expect(await refusal({by: 'error'}, ...scores)).toEqual([
    'At lr=1 there are 2 scores, and one of each candidate is compared. They differ in "replicate" (1, 2).',
    'Pick one, as in `where: {replicate: 1}`.',
  ]);
  expect(await choose({by: 'error', best: 'max', where: {replicate: 2}}, ...scores)).toEqual([
    {chosen: 'lr=2', by: 'error', score: 4, candidates: 2},
  ]);
});

test('a candidate without a score is named, and is not left out', async () => {
  const tests = {split: 'test', error: 0};
  const both = [{split: 'validation', error: 1}, tests];
  const hint =
    'Every candidate needs one, else the best might be left out: have the point give it, or take the point out of the sweep.';
  expect(await refusal({by: 'error'}, at(1, tests), at(2, ...both), at(3), at(4, ...both))).toEqual([
    'No score of the split validation is at lr=1, nor at lr=3.',
    hint,
  ]);
  expect(await refusal({by: 'error'}, at(1, {error: 1}), at(2))).toEqual(['No score is at lr=2.', hint]);
  expect(
    await refusal({by: 'error', where: {tag: 'a'}}, at(1, {tag: 'a', error: 1}), at(2, {tag: 'b', error: 1})),
  ).toEqual(['No score with tag="a" is at lr=2.', hint]);
  expect(await refusal({by: 'error'}, at(1), at(2))).toEqual([
    'The tables of the scores have no rows.',
    'Have what scores give one row of each candidate.',
  ]);
  expect(await refusal({by: 'error', split: 'train'}, at(1, ...both))).toEqual([
    'No score is of the split train.',
    'Write `split:` with one of validation, test.',
  ]);
});

test('what was summarized without splits is chosen by without one', async () => {
  const row = (mean: number) => ({split: '', column: 'jaccard', mean});
  expect(await choose({by: 'mean', best: 'max'}, at(1, row(0.2)), at(2, row(0.5)))).toEqual([
    {chosen: 'lr=2', by: 'mean', score: 0.5, candidates: 2},
  ]);
});
