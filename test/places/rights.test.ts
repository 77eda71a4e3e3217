import {spawnSync} from 'node:child_process';
import {mkdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {environment, scratchFolder} from '../cli/basin.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const PIPELINE = `stages:
  one: {run: [sh, -c, 'umask 0; echo text >"$0"', "\${out.t}"], out: {t: file}}
  start: {uses: pretrain-load, with: {source: random, model: {model: mlp, image_size: 28, num_channels: 1, hidden: [4], labels: 3}}}
  tuned: {uses: finetune, in: {weights: start.weights}, with: {data: {name: mnist, limit: {train: 64, test: 32}, classes: [0, 1, 2]}, length: 2it, lr: 1.0e-2}}
  fails: {run: ["false"]}
`;

test("nothing that a run from a program writes is everybody's to write, whatever that allows, and its own files are as it wants", async () => {
  const cwd = await scratchFolder();
  await mkdir(join(cwd, 'node_modules'));
  await symlink(ROOT, join(cwd, 'node_modules', 'lossbasin'));
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  await writeFile(
    join(cwd, 'program.ts'),
    `import {writeFileSync} from 'node:fs';
import {run} from 'lossbasin';
process.umask(0);
const {ran, failed} = await run('p.yaml', {backend: 'cpu', onFailure: 'keep-going'});
writeFileSync('own.txt', '');
console.log(ran, failed, process.umask());
`,
  );
  const env = environment(join(cwd, 'cache'));
  const ended = spawnSync(join(ROOT, 'bin', 'basin-node'), ['program.ts'], {cwd, env, encoding: 'utf8'});
  expect(ended.stdout, ended.stderr).toBe('3 1 0\n');
  const find = (folder: string, ...test: readonly string[]): string =>
    spawnSync('find', [folder, ...test], {cwd, encoding: 'utf8'}).stdout;
  expect(find('cache', '-not', '-type', 'l', '-perm', '-0002')).toBe('');
  expect(find('cache', '-type', 'f').split('\n').length).toBeGreaterThan(10);
  expect(find('own.txt', '-perm', '-0002')).toBe('own.txt\n');
});
