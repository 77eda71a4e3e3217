import {execFileSync, execSync} from 'node:child_process';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {BACKEND, basin, environment, jsonLines, STACK, scratchFolder} from './basin.ts';
import {edited, ON_BACKEND, PLAIN, STUDY} from './study.ts';

// Decay makes each weight −9 times itself in every step, so that the loss is soon no number.
const DIVERGING = edited('seed: 2, length: 3it, lr: 1.0e-3', 'seed: 2, length: 400it, weight_decay: 1, lr: 10');

async function folderWith(text: string): Promise<string> {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), text);
  return cwd;
}

test('--quiet tells nothing of what goes well but the totals, and all of what fails', async () => {
  const cwd = await folderWith(PLAIN);
  const well = await basin(['run', 'p.yaml', '--quiet'], {cwd});
  expect(well).toMatchObject({code: 0, stderr: ''});
  expect(well.stdout).toMatch(/^ran 2, cached 0 in [^\n]+\n$/);
  await writeFile(join(cwd, 'q.yaml'), PLAIN.replace('in: {weights: start.weights}, ', ''));
  const ill = await basin(['run', 'q.yaml', '--quiet'], {cwd});
  expect(ill.code).toBe(1);
  expect(ill.stdout).toMatch(/^✗ again .*\n {2}The source is upstream/);
});

test('--verbose tells also what stages write, and log tells it afterwards', async () => {
  const cwd = await folderWith(STUDY);
  const args = ['run', 'p.yaml', ...ON_BACKEND, '--target', 'finetune-A'];
  const plain = await basin(args, {cwd});
  expect(plain.stdout).not.toContain('│');
  const verbose = await basin([...args, '--cache', 'other', '--verbose'], {cwd});
  // TensorFlow's libraries have something to say when they are loaded; the other back ends have not
  if (BACKEND === 'tensorflow') expect(verbose.stdout).toMatch(/^ {2}│ finetune-A: .+$/m);
  const written = [...verbose.stdout.matchAll(/^ {2}│ finetune-A: (.+)$/gm)].map(([, line]) => line);
  const log = await basin(['log', 'p.yaml', 'finetune-A', '--json', '--cache', 'other'], {cwd});
  const {lines} = z.object({lines: z.array(z.string())}).parse(JSON.parse(log.stdout));
  expect(lines[1]).toBe('started: has not run before');
  for (const line of written) expect(lines).toContain(`  ${line}`);
  expect(lines.at(-1)).toMatch(/^ran after \d+\.\d s$/);
});

test('plan --graph mermaid draws every node and edge with its verdict', async () => {
  const cwd = await folderWith(STUDY);
  const {code, stdout, stderr} = await basin(['plan', 'p.yaml', '--graph', 'mermaid'], {cwd});
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^(flowchart|graph) /);
  for (const node of ['pretrain-load', 'finetune-A', 'finetune-B', 'interpolate', 'barrier', 'platon-prune'])
    expect(stdout).toContain(node);
  expect(lines.filter((line) => line.includes('-->')).length).toBeGreaterThanOrEqual(11);
});

const finished = z.object({
  event: z.literal('instance-finished'),
  id: z.string(),
  outcome: z.string(),
  seconds: z.number().positive(),
  peakMemory: z.int().min(20).max(100_000),
});

test('the run record holds the time and the peak memory of every instance that ran', async () => {
  const cwd = await folderWith(PLAIN);
  await basin(['run', 'p.yaml'], {cwd});
  const runs = join(cwd, 'cache', 'runs');
  const [name] = (await readdir(runs)).filter((one) => /^\d.*-plain\.jsonl$/.test(one));
  const entries = jsonLines(await readFile(join(runs, name ?? ''), 'utf8'));
  expect(entries.flatMap((entry) => finished.safeParse(entry).data ?? []).map(({id}) => id)).toEqual([
    'start',
    'again',
  ]);
  expect(entries.at(-1)).toMatchObject({event: 'run-finished', ran: 2});
});

test('a training that diverges is told when it fails and again at the end, with a command that shows the rest', async () => {
  const cwd = await folderWith(DIVERGING);
  const options = [...ON_BACKEND, '--cache', "it's here", '--set', 'keeps=[0.2]'];
  const {code, stdout} = await basin(['run', 'p.yaml', '--keep-going', ...options], {cwd});
  expect(code).toBe(1);
  expect(stdout).not.toMatch(STACK);
  const why = /^ {2}The loss became (infinite|not a number) at step \d+\.$/m;
  const [during, atEnd = ''] = stdout.split('\n✗ failed finetune-B\n');
  expect(during).toMatch(why);
  expect(atEnd).toMatch(why);
  expect(atEnd).toMatch(/^ {2}Lower lr/m);
  const command = /^ {2}everything it wrote: (.+)$/m.exec(atEnd)?.[1] ?? '';
  const shown = execSync(command, {cwd, env: environment(join(cwd, 'cache')), encoding: 'utf8'});
  expect(shown).toMatch(/^finetune-B, .*\.jsonl:\nstarted: /);
  expect(shown).toMatch(/^failed after .*\n {2}The loss became /m);
});

test('what a run prints to look at its tables can be typed as it is', async () => {
  const cwd = await folderWith(
    PLAIN.replaceAll('hidden: [4]', `hidden: "\${hidden}"`).replace('stages:', 'params: {hidden: [4]}\nstages:'),
  );
  const {stdout} = await basin(['run', 'p.yaml', '--cache', 'a b', '--set', 'hidden=[5, 6]'], {cwd});
  const commands = [...stdout.matchAll(/^ {2}(\S+ show .+)$/gm)].map(([, command = '']) => command);
  expect(commands).toHaveLength(2);
  for (const command of commands) execFileSync('sh', ['-c', command], {cwd, env: environment(join(cwd, 'cache'))});
  expect(await readdir(cwd)).toContain('weights.arrow');
});
