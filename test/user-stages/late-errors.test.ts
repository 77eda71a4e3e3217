import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';

/** Leaves something behind that breaks when the file `go` is there, or waits until its own does. */
const STAGE = `import {existsSync, writeFileSync} from 'node:fs';
import {defineStage, z} from 'lossbasin';

const BREAK = {
  throws: () => {
    throw new TypeError('too late');
  },
  rejects: () => void Promise.reject(new TypeError('too late')),
  silent: () => {},
  exits: () => process.exit(3),
};

export default defineStage({
  name: 'leaves',
  doc: 'Leaves something running.',
  params: z.strictObject({go: z.string().describe('A file.'), how: z.enum(['throws', 'rejects', 'silent', 'exits']).describe('How it breaks.'), n: z.int().default(0).describe('Which one.'), waits: z.boolean().default(false).describe('Whether it writes the file and stays.')}),
  inputs: {up: {kind: 'summary', optional: true, doc: 'What comes before.'}},
  outputs: {summary: {kind: 'summary', doc: 'A number.', columns: {n: 'int32'}}},
  computes: 'plain',
  async run({params: {go, how, n, waits}}) {
    const looks = setInterval(() => {
      if (!existsSync(go)) return;
      clearInterval(looks);
      BREAK[how]();
    }, 10);
    if (waits) {
      console.log('it has begun');
      writeFileSync(go, '');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return {summary: [{n}]};
  },
});
`;

const warned = z.object({event: z.literal('warning'), message: z.string()});
const finished = z.object({
  ...{event: z.literal('instance-finished'), id: z.string(), outcome: z.string()},
  failure: z.object({message: z.string(), hint: z.string(), logTail: z.array(z.string())}).optional(),
});

/** How a run in so many workers ended, and what it warned of. */
async function runOf(stages: (go: string) => string, jobs = '1') {
  const cwd = await scratchFolder();
  const go = join(cwd, 'go');
  await writeFile(join(cwd, 'leaves.ts'), STAGE);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${stages(JSON.stringify(go))}`);
  const {stdout} = await basin(['run', 'p.yaml', '--json', '--keep-going', '--jobs', jobs], {cwd, env: {GO: go}});
  const lines = jsonLines(stdout);
  const ends = lines.flatMap((line) => finished.safeParse(line).data ?? []);
  const {stdout: plan} = await basin(['plan', 'p.yaml', '--json'], {cwd, env: {GO: go}});
  return {
    outcomes: Object.fromEntries(ends.map(({id, outcome}) => [id, outcome])),
    failures: ends.flatMap(({failure}) => failure ?? []),
    warnings: lines.flatMap((line) => warned.safeParse(line).data?.message ?? []),
    plan: JSON.parse(plan).instances.map(({verdict}: {verdict: string}) => verdict),
  };
}

const WARNING =
  'broke by what the stage "leaves" had left running: leaves.ts:6:11: too late; it is given to another. Have that stage await what it begins, or catch its errors.';

test.each([
  ['throws', '6:11: too late'],
  ['rejects', '8:38: too late'],
  ['exits', '10:24: process.exit was called'],
])('a program goes on in another worker when what an earlier stage left behind %s', async (how, what) => {
  const run = await runOf(
    (go) => `
  a: {uses: ./leaves.ts, with: {go: ${go}, how: ${how}}}
  s: {run: [sh, -c, 'touch "$GO"; sleep 1; echo s > $1', sh, "\${out.text}"], in: {i: a.summary}, out: {text: {kind: file}}, env: [GO]}
`,
  );
  expect(run).toEqual({
    outcomes: {a: 'ran', s: 'ran'},
    failures: [],
    warnings: [`The worker of s ${WARNING.replace('6:11: too late', what)}`],
    plan: ['cached', 'cached'],
  });
});

test('and so does another instance of the same stage, alone or with others', async () => {
  const run = await runOf(
    (go) => `
  a: {uses: ./leaves.ts, with: {go: ${go}, how: throws}}
  b: {uses: ./leaves.ts, with: {go: ${go}, how: silent, waits: true}, in: {up: a.summary}, sweep: {n: [1, 2]}}
`,
  );
  expect(run).toEqual({
    outcomes: {a: 'ran', 'b[n=1]': 'ran', 'b[n=2]': 'ran'},
    failures: [],
    warnings: [`The worker of b[n=1] ${WARNING}`],
    plan: ['cached', 'cached', 'cached'],
  });
});

test('what breaks while its own stage runs fails that, with its place, and is tried again as often as a lost worker', async () => {
  const run = await runOf(
    (go) => `  a: {uses: ./leaves.ts, with: {go: ${go}, how: throws, waits: true}, retries: 1}\n`,
  );
  expect(run).toEqual({
    outcomes: {a: 'failed'},
    failures: [
      {
        message: 'The stage broke: leaves.ts:6:11: too late',
        hint: 'Nothing caught this error. A stage of your own should await what it begins, or catch its errors.',
        logTail: ['it has begun', 'TypeError: too late', ...Array(4).fill(expect.stringMatching(/^ {4}at /))],
      },
    ],
    warnings: [
      'The worker process of a ended with an error that nothing caught: leaves.ts:6:11: too late; it is tried again (1 of 1).',
    ],
    plan: ['run'],
  });
});

test('what breaks when nothing runs in its worker is told, and what its stage gave is kept', async () => {
  // The program waits in a worker of its own until the other has ended, and then until the warning of it is there.
  const log = (event: string): string => `while test -d cache && ! grep -qs '${event}' cache/runs/*.jsonl; do :; done`;
  const run = await runOf(
    (go) => `
  a: {uses: ./leaves.ts, with: {go: ${go}, how: throws}}
  s:
    run: [sh, -c, '${`(cd "$(dirname "$GO")"; ${log('"id":"a","outcome":"ran"')}; touch "$GO"; ${log('"event":"warning"')}); echo s > $1`.replaceAll("'", "''")}', sh, "\${out.text}"]
    out: {text: {kind: file}}
    env: [GO]
`,
    '2',
  );
  expect(run).toEqual({
    outcomes: {a: 'ran', s: 'ran'},
    failures: [],
    warnings: [
      'a: The stage "leaves" had left something running that broke after its end: leaves.ts:6:11: too late; what it gave is kept. Have it await what it begins, or catch its errors.',
    ],
    plan: ['cached', 'cached'],
  });
});
