import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';

const STAGE = `import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'talks',
  doc: 'Prints, then ends in one way or another.',
  params: z.strictObject({prints: z.string().describe('What it prints.'), times: z.int().default(1).describe('How often.'), end: z.enum(['well', 'broken', 'blocked']).describe('How it ends.')}),
  inputs: {up: {kind: 'summary', optional: true, doc: 'What comes before.'}},
  outputs: {summary: {kind: 'summary', doc: 'A word.', columns: {word: 'utf8'}}},
  computes: 'plain',
  async run({params: {prints, times, end}}) {
    process.stdout.write(prints.repeat(times));
    if (end === 'broken') throw new Error('what really happened');
    while (end === 'blocked');
    return {summary: [{word: prints}]};
  },
});
`;

const isLog = z.object({event: z.literal('log')});
const isFailed = z.object({outcome: z.literal('failed'), failure: z.object({logTail: z.array(z.string())})});

/** What is told of the instances, in one worker. */
async function told(stages: string) {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'talks.ts'), STAGE);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${stages}`);
  const {stdout} = await basin(['run', 'p.yaml', '--jobs', '1', '--json'], {cwd});
  return {cwd, events: jsonLines(stdout)};
}

test('the last lines of an instance that failed are its own, and not those of who had its worker before', async () => {
  const {cwd, events} = await told(`
  noisy: {uses: ./talks.ts, with: {prints: "Accuracy of noisy is 12 %\\nhalf a line", end: well}}
  broken: {uses: ./talks.ts, with: {prints: "of broken\\n", end: broken}, in: {up: noisy.summary}}
`);
  const [failed] = events.flatMap((event) => isFailed.safeParse(event).data ?? []);
  const lines = failed?.failure.logTail ?? [];
  expect(lines.filter((line) => !/^ {4}at /.test(line))).toEqual(['of broken', 'Error: what really happened']);
  expect(events).toContainEqual({event: 'log', id: 'noisy', line: 'half a line'});
  const {stdout} = await basin(['log', 'p.yaml', 'broken'], {cwd});
  expect(stdout).toContain('of broken');
  expect(stdout).not.toContain('noisy is');
});

test('of one whose worker was ended because its time was over too', async () => {
  const {events} = await told(`
  noisy: {uses: ./talks.ts, with: {prints: "of noisy\\n", end: well}}
  stuck: {uses: ./talks.ts, with: {prints: "of stuck\\nand more", end: blocked}, in: {up: noisy.summary}, timeout: 0.3s}
`);
  expect(events).toContainEqual(
    expect.objectContaining({id: 'stuck', failure: expect.objectContaining({logTail: ['of stuck', 'and more']})}),
  );
});

test('of one that wrote more at its end than its pipe holds too', async () => {
  const {events} = await told(`
  noisy: {uses: ./talks.ts, with: {prints: x, times: 5000000, end: well}}
  broken: {uses: ./talks.ts, with: {prints: "of broken\\n", end: broken}, in: {up: noisy.summary}}
`);
  expect(events.filter((event) => isLog.safeParse(event).success)).toEqual([
    {event: 'log', id: 'noisy', line: `${'x'.repeat(2000)}… (4998000 more bytes)`},
    {event: 'log', id: 'broken', line: 'of broken'},
  ]);
});
