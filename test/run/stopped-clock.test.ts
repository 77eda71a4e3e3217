import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {jsonLines, scratchFolder, startBasin} from '../cli/basin.ts';

const STAGE = `import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'steps',
  doc: 'Takes a second in steps, at each of which it can be told to end.',
  params: z.strictObject({n: z.int().describe('Which one.')}),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'How many.', columns: {steps: 'int32'}}},
  computes: 'plain',
  async run({services}) {
    for (let step = 0; step < 10; step++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      services.log('step ' + step);
      services.signal.throwIfAborted();
    }
    return {summary: [{steps: 10}]};
  },
});
`;

const PIPELINE = `stages:
  a: {uses: ./steps.ts, with: {n: 1}, timeout: 2s}
  b: {uses: ./steps.ts, with: {n: 2}, timeout: 2s}
  c: {run: [sh, -c, 'sleep 1; echo c > $1', sh, "\${out.text}"], out: {text: {kind: file}}, timeout: 2s}
`;

const outcome = z.object({event: z.literal('instance-finished'), id: z.string(), outcome: z.string()});
const LONGER_THAN_ALL_WAITS = 6_000;

test('the time for which the whole process group was stopped is none that an instance took', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'steps.ts'), STAGE);
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const started = startBasin(['run', 'p.yaml', '--json', '--keep-going', '--jobs', '3'], {cwd});
  await Promise.all([started.line(/"id":"a","line":"step 1"/), started.line(/"id":"b","line":"step 1"/)]);
  process.kill(-started.pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_ALL_WAITS));
  process.kill(-started.pid, 'SIGCONT');
  const {stdout} = await started.ended;
  const ends = jsonLines(stdout).flatMap((line) => outcome.safeParse(line).data ?? []);
  expect(Object.fromEntries(ends.map(({id, outcome}) => [id, outcome])), stdout).toEqual({
    a: 'ran',
    b: 'ran',
    c: 'ran',
  });
});
