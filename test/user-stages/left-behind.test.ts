import {execFileSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';

// What it starts has its standard output, and lives on in a session of its own until somebody writes to the gate.
const STAGE = `import {spawn} from 'node:child_process';
import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'leaves-behind',
  doc: 'Starts a program and does not wait for it.',
  params: z.strictObject({gate: z.string().describe('What the program waits for.'), dies: z.boolean().describe('Whether its worker ends.')}),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'A word.', columns: {word: 'utf8'}}},
  computes: 'plain',
  async run({params: {gate, dies}}) {
    spawn('cat', [gate], {detached: true, stdio: 'inherit'}).unref();
    console.log('these are its last words');
    if (dies) process.kill(process.pid, 'SIGKILL');
    return {summary: [{word: 'done'}]};
  },
});
`;

/** A pipeline of that stage; what it leaves behind ends with the test. */
async function leavingBehind(dies: boolean): Promise<string> {
  const cwd = await scratchFolder();
  const gate = join(cwd, 'gate');
  execFileSync('mkfifo', [gate]);
  onTestFinished(() => writeFile(gate, '', {flag: 'r+'}));
  await writeFile(join(cwd, 'leaves-behind.ts'), STAGE);
  await writeFile(
    join(cwd, 'p.yaml'),
    `stages: {a: {uses: ./leaves-behind.ts, with: {gate: ${JSON.stringify(gate)}, dies: ${dies}}}}`,
  );
  return cwd;
}

test('a worker that died is told of, with its last words, although something that it started holds its output', async () => {
  const {code, stdout} = await basin(['run', 'p.yaml'], {cwd: await leavingBehind(true)});
  expect(code).toBe(1);
  expect(stdout).toContain('The worker process ended with signal SIGKILL.');
  expect(stdout).toContain('│ these are its last words');
});

test('a run ends although something that a stage started lives on', async () => {
  const {code, stdout} = await basin(['run', 'p.yaml'], {cwd: await leavingBehind(false)});
  expect(code, stdout).toBe(0);
});
