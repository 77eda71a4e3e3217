import {spawnSync} from 'node:child_process';
import {readdirSync, statSync} from 'node:fs';
import {chmod, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {scratchFolder} from '../cli/basin.ts';
import {as, asOther, works} from './other-user.ts';

// A program may take rights from what it makes: a cache of modules that nobody is to write to, a `umask` for secrets.

async function folderOfOther(pipeline: string): Promise<string> {
  const cwd = await scratchFolder();
  await chmod(cwd, 0o777);
  await writeFile(join(cwd, 'p.yaml'), pipeline);
  return cwd;
}

function shellOfOther(cwd: string, script: string): void {
  const [program = 'sh', ...rest] = [...asOther, 'sh', '-c', script];
  expect(spawnSync(program, rest, {cwd, encoding: 'utf8'})).toMatchObject({status: 0, stderr: ''});
}

/** What a program makes that nobody may write to, or look into; a link leads to what is not its own. */
const left = (mine: string): string =>
  `mkdir -p pkg/mod/a; echo x >pkg/mod/a/x; ln -s "${mine}" pkg/mod/mine; chmod -R a-w pkg; mkdir -m 000 secret`;

test.skipIf(!works)(
  'folders that a program left without rights are removed however it ended, and what a link leads to is left alone',
  async () => {
    const cwd = await folderOfOther('');
    shellOfOther(cwd, 'mkdir mine; touch mine/file; chmod 500 mine');
    const script = left(join(cwd, 'mine'));
    await writeFile(
      join(cwd, 'p.yaml'),
      `stages:
  ends: {run: [sh, -c, '${script}; echo z >"$0"', "\${out.o}"], out: {o: file}}
  fails: {run: [sh, -c, '${script}; exit 1'], retries: 2}
  home: {run: [sh, -c, 'touch x; chmod 555 .; chmod 000 ..; exit 1']}
`,
    );
    const {code, stdout, stderr} = as(asOther, ['run', 'p.yaml', '--keep-going', '--json'], cwd);
    expect(code, stderr).toBe(1);
    expect(stdout).toMatch(/"ran":1,"cached":0,"cutOff":0,"failed":2,"skipped":0,/);
    expect(readdirSync(join(cwd, 'cache', 'tmp'))).toEqual([]);
    expect(statSync(join(cwd, 'mine')).mode & 0o777).toBe(0o500);
    expect(readdirSync(join(cwd, 'mine'))).toEqual(['file']);
  },
);

test.skipIf(!works)('and so are those of a process that was killed', async () => {
  const cwd = await folderOfOther(`stages:\n  one: {run: ["true"]}\n`);
  expect(as(asOther, ['run', 'p.yaml'], cwd).code).toBe(0);
  const tmp = join(cwd, 'cache', 'tmp');
  const home = join(tmp, '123456-01234567-89ab-cdef-0123-456789abcdef');
  shellOfOther(
    cwd,
    `mkdir -p "${home}/0/folder-0"; touch "${home}/alive"; cd "${home}/0/folder-0"; ${left('/usr')}; chmod 000 .`,
  );
  expect(as(asOther, ['run', 'p.yaml', '--force', 'one'], cwd).code).toBe(0);
  expect(readdirSync(tmp)).toEqual([]);
});
