import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {BASIN, environment, STACK, scratchFolder} from './basin.ts';
import {runJson} from './run-study.ts';

const FULL = 'Standard output cannot be written: the disk is full.';
const CHAIN = `stages:
  a: {run: [sh, -c, 'echo a > \${out.text}'], out: {text: file}}
  b: {run: [sh, -c, 'cat \${in.text} > \${out.text}'], in: {text: a.text}, out: {text: file}}
  c: {run: [sh, -c, 'wc \${in.text} > \${out.text}'], in: {text: b.text}, out: {text: file}}
`;

async function chain() {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), CHAIN);
  const shell = (command: string) => {
    const env = environment(join(cwd, 'cache'));
    const {status, stdout, stderr} = spawnSync('sh', ['-c', command, BASIN], {cwd, env, encoding: 'utf8'});
    return {code: status, stdout, stderr};
  };
  return {cwd, shell};
}

const skip = !existsSync('/dev/full');

test.skipIf(skip)('a run whose output finds no room goes on, says so once, and ends with 1', async () => {
  const {cwd, shell} = await chain();
  const run = shell('"$0" run p.yaml > /dev/full');
  expect(run.code).toBe(1);
  expect(run.stderr.split(FULL)).toHaveLength(2);
  expect(run.stderr).not.toMatch(STACK);
  expect(await runJson(['p.yaml'], {cwd})).toMatchObject({code: 0, totals: {ran: 0, cached: 3}});
});

test.skipIf(skip)('a run that can tell nothing anywhere stores what it computes', async () => {
  const {cwd, shell} = await chain();
  expect(shell('"$0" run p.yaml --json > /dev/full 2>&1').code).toBe(1);
  expect(await runJson(['p.yaml'], {cwd})).toMatchObject({code: 0, totals: {ran: 0, cached: 3}});
});

test.skipIf(skip)('what else finds no room for what it prints is a fault, and no stack', async () => {
  const {shell} = await chain();
  for (const command of ['plan p.yaml', 'plan p.yaml --json', 'schema', '--help']) {
    const told = shell(`"$0" ${command} > /dev/full`);
    expect(told, command).toMatchObject({code: 1, stderr: expect.stringContaining(FULL)});
    expect(told.stderr).not.toMatch(STACK);
  }
});

// The first ends when the reader has gone, the second never by itself.
const WAITING = `params: {gone: null, never: null}
stages:
  a: {run: [sh, -c, 'cat "$0" > \${out.text}', "\${gone}"], out: {text: file}}
  b: {run: [sh, -c, 'cat "$0" > \${out.text}', "\${never}"], in: {text: a.text}, out: {text: file}}
`;

test('a run whose reader went away stops as after Ctrl-C, with its totals in the log', async () => {
  const {cwd, shell} = await chain();
  await writeFile(join(cwd, 'waiting.yaml'), WAITING);
  const run = shell(`mkfifo gone never
    ("$0" run waiting.yaml --set gone="$PWD/gone" --set never="$PWD/never"; echo $? > code) | (head -1; exec <&-; echo > gone)
    cat code; tail -n 1 cache/runs/*waiting.jsonl`);
  expect(run.stderr).toBe('');
  expect(run.stdout).toMatch(
    /^> a \(has not run before\)\n130\n\{"event":"run-finished","ran":1,"cached":0,"cutOff":0,"failed":0,"skipped":1,/,
  );
});
