import {spawnSync} from 'node:child_process';
import {readdirSync, statSync} from 'node:fs';
import {chmod, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
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

const TAKES = `stages:
  file: {run: [sh, -c, 'echo file >"$0"; chmod 000 "$0"', "\${out.o}"], out: {o: file}}
  mask: {run: [sh, -c, 'umask 777; echo mask >"$0"; umask 277; echo second >"$1"', "\${out.o}", "\${out.p}"], out: {o: file, p: file}}
  table: {run: [sh, -c, 'echo "[{\\"x\\": 1}]" >"$0"; chmod 200 "$0"', "\${out.o}"], out: {o: {kind: summary, columns: {x: int32}}}}
  out: {run: [sh, -c, 'echo out >"$0"; chmod 555 out', "\${out.o}"], out: {o: file}}
  closed: {run: [sh, -c, 'echo closed >"$0"; chmod 000 "$0" out', "\${out.o}"], out: {o: file}}
  home: {run: [sh, -c, 'echo home >"$0"; chmod 000 "$0" out .', "\${out.o}"], out: {o: file}}
  moved: {run: [sh, -c, 'chmod 000 "$0"; mv "$0" "$1"', "\${in.a}", "\${out.o}"], in: {a: file.o}, out: {o: file}}
  stage: {uses: ./own.ts}
  all:
    run: [cat, "\${in.a}", "\${in.b}", "\${in.c}", "\${in.d}", "\${in.e}", "\${in.f}", "\${in.g}", "\${in.h}"]
    in: {a: file.o, b: mask.o, c: mask.p, d: out.o, e: closed.o, f: home.o, g: moved.o, h: stage.text}
`;

const OWN = `import {defineStage, z} from 'lossbasin';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
export default defineStage({
  name: 'own', doc: 'Takes rights.', params: z.strictObject({}), inputs: {}, computes: 'plain',
  outputs: {
    text: {kind: 'file', doc: 'A text.'},
    summary: {kind: 'summary', doc: 'A value.', columns: {x: 'int32'}, as: 'path'},
  },
  run: async ({services}) => {
    const folder = join(await services.folder(), 'below');
    mkdirSync(folder);
    const [text, summary] = [join(folder, 'text'), join(folder, 'rows.json')];
    writeFileSync(text, 'own\\n', {mode: 0o000});
    writeFileSync(summary, '[{"x": 2}]', {mode: 0o200});
    chmodSync(folder, 0o000);
    chmodSync(join(folder, '..'), 0o555);
    return {text: {path: text}, summary: {path: summary}};
  },
});
`;

test.skipIf(!works)(
  'what a program or a stage of the user wrote is taken whatever rights it gave it, and can be used',
  async () => {
    const cwd = await folderOfOther(TAKES);
    await writeFile(join(cwd, 'own.ts'), OWN);
    const {code, stderr} = as(asOther, ['run', 'p.yaml', '--keep-going'], cwd);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(STACK);
    expect(as(asOther, ['show', 'p.yaml', 'all.log'], cwd).stdout).toBe(
      'file\nmask\nsecond\nout\nclosed\nhome\nfile\nown\n',
    );
    for (const [table, x] of [
      ['table.o', 1],
      ['stage.summary', 2],
    ] as const)
      expect(as(asOther, ['show', 'p.yaml', table, '--format', 'csv'], cwd).stdout).toBe(`x\n${x}\n`);
    expect(readdirSync(join(cwd, 'cache', 'tmp'))).toEqual([]);
  },
);

test.skipIf(!works)(
  'what is not where it was asked for is looked for beside folders that nobody may look into',
  async () => {
    const cwd = await folderOfOther(`stages:
  none: {run: [sh, -c, 'mkdir -m 000 secret; ln -s . round', "\${out.o}"], out: {o: file}}
  elsewhere: {run: [sh, -c, 'mkdir -m 000 a; mkdir -p b/c; touch b/c/o', "\${out.o}"], out: {o: file}}
  twice: {run: [sh, -c, 'echo x >"$0"; chmod 000 "$0"; ln "$0" second', "\${out.o}"], out: {o: file}}
`);
    const {code, stdout} = as(asOther, ['run', 'p.yaml', '--keep-going', '--json'], cwd);
    expect(code).toBe(1);
    const told = jsonLines(stdout).flatMap((line) => {
      const {data} = failed.safeParse(line);
      return data ? [[data.id, data.failure.message.replace(/: \/.*/, ''), data.failure.hint]] : [];
    });
    expect(told.sort()).toEqual([
      ['elsewhere', 'sh ended well but did not write its output "o".', `It wrote b/c/o; have it write to ${OUT}.`],
      ['none', 'sh ended well but did not write its output "o".', `Have it write to ${OUT}.`],
      [
        'twice',
        'The output "o" may not be read',
        "It has a second name, or is another user's, so that its rights are left as they are: give its owner the right to read it.",
      ],
    ]);
  },
);

const OUT = `\${out.o}`;
const failed = z.looseObject({id: z.string(), failure: z.looseObject({message: z.string(), hint: z.string()})});
