import {execFile} from 'node:child_process';
import {mkdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {environment, scratchFolder} from './basin.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = `import {run, table} from 'lossbasin';
const {ran, failed} = await run('p.yaml');
console.log(JSON.stringify([ran, failed, await table('p.yaml', 'n.rows')]));
`;
const PIPELINE = `stages:
  n: {run: [cp, rows.json, "\${out.rows}"], files: [rows.json], out: {rows: {kind: summary, columns: {loss: float64}}}}
`;

test('a program beside a pipeline outside of the repository has basin by a link', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  await writeFile(join(cwd, 'rows.json'), '[{"loss": 0.5}]');
  await writeFile(join(cwd, 'prog.ts'), PROGRAM);
  await mkdir(join(cwd, 'node_modules'));
  await symlink(ROOT, join(cwd, 'node_modules', 'lossbasin'));
  const {stdout, stderr} = await promisify(execFile)(join(ROOT, 'bin', 'basin-node'), ['prog.ts'], {
    cwd,
    env: environment(join(cwd, 'cache')),
  });
  expect({stdout, stderr}).toEqual({stdout: '[1,0,[{"loss":0.5}]]\n', stderr: ''});
});
