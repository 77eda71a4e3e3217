import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type PlannedRow, plan, run} from '../../src/index.ts';
import {writtenPipeline} from '../rig/written-pipeline.ts';

const verdicts = (rows: readonly PlannedRow[]) => Object.fromEntries(rows.map(({id, verdict}) => [id, verdict]));

test('what is to be forced and has no part in the run is refused, and what has is forced alone', async () => {
  const {file, options} = await writtenPipeline(`stages:
  a: {run: [echo, hi]}
  b: {run: [echo, hi]}
  cb: {run: [cat, "\${in.x}"], in: {x: b.log}}
  s: {run: [echo, "\${n}"], sweep: {n: [1, 2]}}
  one: {run: [cat, "\${in.x}"], in: {x: s.log}}
`);
  await run(file, options);
  const refused = {
    faults: [{code: 'wrong-command', message: expect.stringMatching(/^"a" is to be forced and is no part/)}],
  };
  const idle = {...options, targets: ['cb'], force: ['a']};
  await expect(plan(file, idle)).rejects.toMatchObject(refused);
  await expect(run(file, idle)).rejects.toMatchObject(refused);

  const some = {...options, targets: ['one[n=2]'], force: ['s']};
  expect(verdicts(await plan(file, some))).toEqual({'s[n=2]': 'run', 'one[n=2]': 'run-unless-cut-off'});
  expect(await run(file, some)).toMatchObject({ran: 1, cutOff: 1, cached: 0});
});

test('what runs outside the targets makes nothing of them run again', async () => {
  const text = `params: {word: x}
stages:
  made: {run: [sh, -c, 'echo made >$1', s, "\${out.f}"], out: {f: file}}
  wanted: {run: [cat, "\${in.x}"], in: {x: made.f}}
  apart: {run: [sh, -c, 'cat $1; echo $2', s, "\${in.x}", "\${word}"], in: {x: made.f}}
`;
  const {file, options, write} = await writtenPipeline(text);
  await run(file, options);
  await rm(join(options.cache, 'blobs'), {recursive: true});
  await write(text.replace('word: x', 'word: y'));
  expect(verdicts(await plan(file, options))).toMatchObject({made: 'run', apart: 'run'});
  const targets = {...options, targets: ['wanted']};
  expect(verdicts(await plan(file, targets))).toEqual({made: 'cached', wanted: 'cached'});
  expect(await run(file, targets)).toMatchObject({ran: 0, cached: 2});
});
