// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {table} from '../../src/index.ts';
import {basin, scratchFolder} from './basin.ts';

const PIPELINE = `stages:
  one:
    run: [sh, -c, 'echo "[{\\"split\\": \\"$1\\", \\"loss\\": $2}, {\\"split\\": \\"all\\", \\"loss\\": 9}]" >"$3"', sh, "\${split}", "\${axis_split}", "\${out.losses}"]
    out: {losses: {kind: summary, columns: {split: utf8, loss: float64}}}
    sweep: {split: [train, test], axis_split: [1, 2]}
  start: {uses: pretrain-load, with: {source: random, seed: "\${name}", model: {model: mlp, hidden: [4]}}, sweep: {name: [1, 2]}}
expect:
  - {of: one.losses, where: "split == 'train' && axis_axis_split == 'test'", that: "false"}
  - {of: one.losses, where: "axis_axis_split == 'test'", that: "split != 'train' && axis_split < 3"}
plots:
  - name: both
    data: {from: one.losses}
    mark: point
    encoding: {x: {field: axis_axis_split, type: nominal}, y: {field: loss, type: quantitative}, color: {field: split, type: nominal}}
`;

test('an axis named like a column stands beside it under another name, in tables, claims and plots', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const run = await basin(['run', 'p.yaml', '--json'], {cwd});
  expect(run.code).toBe(1);
  const events: {event: string; met?: boolean; detail?: string}[] = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.filter(({event}) => event === 'expectation').map(({met, detail}) => [met, detail])).toEqual([
    [false, "No row is selected by \"split == 'train' && axis_axis_split == 'test'\"."],
    [true, ''],
  ]);
  expect(events.at(-1)).toMatchObject({event: 'run-finished', ran: 6, failed: 0});
  const csv = await basin(['show', 'p.yaml', 'one.losses', '--format', 'csv'], {cwd});
  expect(csv.stdout.split('\n').slice(0, 5)).toEqual([
    'axis_axis_split,axis_split,split,loss',
    'test,1,test,1',
    'test,1,all,9',
    'test,2,test,2',
    'test,2,all,9',
  ]);
  const one = await basin(['show', 'p.yaml', 'one[split=train,axis_split=2].losses', '--format', 'csv'], {cwd});
  expect(one.stdout).toBe('axis_axis_split,axis_split,split,loss\ntrain,2,train,2\ntrain,2,all,9\n');
  const weights = await table(join(cwd, 'p.yaml'), 'start.summary', {cache: join(cwd, 'cache')});
  expect(weights.map(({name}) => name)).toEqual([1, 2]);
  const tensors = await basin(['show', 'p.yaml', 'start.weights', '--format', 'csv'], {cwd});
  expect(tensors.stdout.split('\n', 2)).toEqual([
    'axis_name,name,shape,weights,mean,l2,zeros',
    expect.stringMatching(/^1,classifier\.bias,10,10,/),
  ]);
  const plot = await basin(['show', 'p.yaml', 'plots.both', '--format', 'json'], {cwd});
  expect(plot).toMatchObject({code: 0, stderr: ''});
});

test('of an axis named like the column of errors the points that failed are shown too', async () => {
  const cwd = await scratchFolder();
  const text = `stages:
  n:
    run: [sh, -c, 'echo "[{\\"loss\\": 1}]" >"$2"; exit "$1"', sh, "\${failed}", "\${out.losses}"]
    out: {losses: {kind: summary, columns: {loss: float64}}}
    sweep: {failed: [0, 3]}
`;
  await writeFile(join(cwd, 'p.yaml'), text);
  await basin(['run', 'p.yaml', '--keep-going', '--quiet'], {cwd});
  const shown = await basin(['show', 'p.yaml', 'n.losses', '--format', 'json'], {cwd});
  expect(JSON.parse(shown.stdout)).toEqual([
    {axis_failed: 0, loss: 1},
    {axis_failed: 3, failed: 'sh ended with exit code 3.'},
  ]);
});

test('an unknown column is told with the names that there are', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE.replace('where: "axis_axis_split == \'test\'"', 'where: "point == 1"'));
  const plan = await basin(['plan', 'p.yaml'], {cwd});
  expect(plan.stderr).toContain('The columns are: split, loss, axis_axis_split, axis_split.');
});
