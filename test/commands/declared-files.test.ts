import {spawnSync} from 'node:child_process';
import {chmod, cp, mkdir, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {reasonText} from '../../src/plan/reason-text.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

const file = (name: string, text: string): Promise<void> => writeFile(join(rig.folder, name), text);
const list = (files: string): string =>
  `stages: {list: {run: [sh, -c, 'find . -type f | sort | xargs head'], files: ${files}}}`;

/** What the program saw: its files and what is in them. */
const seen = (files: string): Promise<string> => seenBy(list(files));
async function seenBy(text: string): Promise<string> {
  const {records, totals, events} = await rig.run(text);
  expect(totals, JSON.stringify(events)).toMatchObject({failed: 0});
  const digest = records.at(-1)?.outputs.log?.digest;
  if (digest === undefined) throw new Error('it wrote no log');
  return rig.withStore(async (store) => Buffer.from(await store.readBlob(digest)).toString());
}

const FOLDERS = ['data/deep', 'real/inner', 'elsewhere'];
/** Links to a file, to folders, and to a link. */
const LINKS = [
  ['../real/one.csv', 'data/one.csv'],
  ['../real', 'data/linked'],
  ['../../elsewhere', 'real/inner/far'],
  ['linked/inner', 'data/chain'],
] as const;
const TEXTS = ['data/plain.csv', 'data/deep/plain.csv', 'real/one.csv', 'real/inner/two.csv', 'elsewhere/three.csv'];

async function linkedFolder(): Promise<void> {
  for (const folder of FOLDERS) await mkdir(join(rig.folder, folder), {recursive: true});
  for (const text of TEXTS) await file(text, `text of ${text}\n`);
  for (const [to, name] of LINKS) await symlink(to, join(rig.folder, name));
}

/** The files under a folder, links followed, by a program that is not ours. */
function found(folder: string, ...more: readonly string[]): readonly string[] {
  const {stdout} = spawnSync('find', ['-L', '.', ...more, '-type', 'f'], {
    cwd: join(rig.folder, folder),
    encoding: 'utf8',
  });
  return stdout.trim().split('\n').sort();
}

test('links to files and folders are followed, in folders and in patterns, and their content is in the key', async () => {
  await linkedFolder();
  const names = (log: string): readonly string[] => [...log.matchAll(/^==> (.*) <==$/gm)].map(([, name = '']) => name);
  const inFolder = found('data');
  expect(inFolder).toHaveLength(8);
  expect(names(await seen('{x: data}'))).toEqual(inFolder.map((name) => name.replace('./', './x/')));
  expect(names(await seen('["data/**/*.csv"]'))).toEqual(inFolder.map((name) => name.replace('./', './data/')));
  expect(names(await seen('["data/*.csv", "data/linked/*.csv"]'))).toEqual([
    './data/linked/one.csv',
    './data/one.csv',
    './data/plain.csv',
  ]);
  expect(await seen('[data]')).toContain('text of elsewhere/three.csv');
  await file('elsewhere/three.csv', 'changed\n');
  expect((await rig.plan(list('[data]'))).instances[0]).toMatchObject({verdict: 'run'});
  expect((await rig.plan(list('["data/**/*.csv"]'))).instances[0]).toMatchObject({verdict: 'run'});
  expect((await rig.plan(list('["data/*.csv", "data/linked/*.csv"]'))).instances[0]).toMatchObject({verdict: 'cached'});
});

test('a cache that lies among the files of a program is none of them', async () => {
  await file('a.txt', 'a\n');
  await mkdir(join(rig.folder, 'deep'));
  expect(await seen('[.]')).not.toContain('./cache');
  await cp(rig.cache, join(rig.folder, 'deep', 'other'), {recursive: true});
  expect((await rig.plan(list('[.]'))).instances[0]).toMatchObject({verdict: 'cached'});
  expect(await seen('["**/*"]')).not.toContain('./cache');
  expect((await rig.plan(list('["**/*"]'))).instances[0]).toMatchObject({verdict: 'cached'});
  const [planned] = (await rig.plan(list('[cache]'))).instances;
  expect(planned?.reason).toMatchObject({detail: "cache is a cache of basin's, which every run changes."});
});

test('names that files cannot have beside each other are told before anything runs', async () => {
  for (const folder of ['d', 'other']) await mkdir(join(rig.folder, folder));
  for (const name of ['a.txt', 'b.txt', 'd/e', 'other/e']) await file(name, `text of ${name}\n`);
  const detail = async (files: string): Promise<unknown> => {
    const [planned] = (await rig.plan(list(files))).instances;
    return planned?.reason.why === 'unresolved' ? planned.reason.detail : planned?.verdict;
  };
  const [d, e] = [join(rig.folder, 'd', 'e'), join(rig.folder, 'a.txt')];
  expect(await detail('{x: a.txt, x/e: b.txt}')).toBe('The name x is that of a file, so x/e cannot lie in it.');
  expect(await detail('{x/e/f: b.txt, x: d}')).toBe('The name x/e is that of a file, so x/e/f cannot lie in it.');
  expect(await detail('{x: d, x/e: a.txt}')).toBe(`Two files would be called x/e: ${d} and ${e}.`);
  expect(await detail('{.: a.txt}')).toBe(
    'The name . is that of the folder that the program runs in, and a.txt is a file.',
  );
  expect(await detail('{x: d, x/f: a.txt}')).toBe('run');
  expect(await seen('{.: d, x/e: d/e}')).toBe('==> ./e <==\ntext of d/e\n\n==> ./x/e <==\ntext of d/e\n');
});

test('what Python keeps beside its modules is none of the files, unless it is written', async () => {
  await mkdir(join(rig.folder, 'pkg', 'deep'), {recursive: true});
  for (const name of ['pkg/main.py', 'pkg/deep/helper.py']) await file(name, `text of ${name}\n`);
  const both =
    '==> ./pkg/deep/helper.py <==\ntext of pkg/deep/helper.py\n\n==> ./pkg/main.py <==\ntext of pkg/main.py\n';
  for (const files of ['[pkg]', '["pkg/**/*"]']) expect(await seen(files)).toBe(both);
  for (const folder of ['pkg', 'pkg/deep']) {
    await mkdir(join(rig.folder, folder, '__pycache__'));
    await file(`${folder}/__pycache__/main.cpython-311.pyc`, `compiled in ${folder}\n`);
  }
  for (const files of ['[pkg]', '["pkg/**/*"]']) {
    expect((await rig.plan(list(files))).instances[0], files).toMatchObject({verdict: 'cached'});
    expect(await seenBy(list(files).replace('xargs', 'xargs -n 9'))).toBe(both);
  }
  expect(await seen('[pkg/__pycache__]')).toBe('compiled in pkg\n');
  expect(await seen('["pkg/**/__pycache__/*"]')).toBe(
    ['pkg/__pycache__', 'pkg/deep/__pycache__']
      .map((folder) => `==> ./${folder}/main.cpython-311.pyc <==\ncompiled in ${folder.replace('/__pycache__', '')}\n`)
      .join('\n'),
  );
});

test('what is written out and empty is as if it were left out', async () => {
  const text = (more: string): string => `stages: {s: {run: [echo, text]${more}}}`;
  const {records} = await rig.run(text(''));
  expect(records[0]?.preimage.params).toEqual({run: ['echo', 'text']});
  for (const empty of [
    'files: []',
    'files: {}',
    'env: []',
    'env: {}',
    'out: {}',
    'in: {}',
    'sweep: {}',
    'files: [], env: [], out: {}',
  ])
    expect((await rig.plan(text(`, ${empty}`))).instances[0], empty).toMatchObject({verdict: 'cached'});
});

test('a file that is called as a property of every object is handed over and is in the key', async () => {
  for (const name of ['__proto__', '__constructor']) await file(name, `text of ${name}\n`);
  const whole = '==> ./__constructor <==\ntext of __constructor\n\n==> ./__proto__ <==\ntext of __proto__\n';
  expect(await seen('["__*"]')).toBe(whole);
  await file('__proto__', 'changed\n');
  expect((await rig.plan(list('["__*"]'))).instances[0]).toMatchObject({verdict: 'run'});
  expect(await seen('["__*"]')).toBe(whole.replace('text of __proto__', 'changed'));
});

test('whether a file may be executed is what a program sees, and in the key of those that may', async () => {
  await mkdir(join(rig.folder, 'bin'));
  await file('bin/tool.sh', '#!/bin/sh\necho tool\n');
  await file('bin/other.sh', 'echo other\n');
  const text = `stages: {s: {run: [sh, -c, 'if [ -x bin/tool.sh ]; then bin/tool.sh; else echo no tool; fi'], files: [bin]}}`;
  const tool = join(rig.folder, 'bin', 'tool.sh');
  const seenNow = (): Promise<string> => seenBy(text);
  expect(await seenNow()).toBe('no tool\n');
  await chmod(tool, 0o755);
  const [planned] = (await rig.plan(text)).instances;
  expect(planned?.verdict).toBe('run');
  expect(planned && reasonText(planned.reason)).toBe('files.bin/tool.sh.executable is new');
  expect(await seenNow()).toBe('tool\n');
  await file('bin/tool.sh', '#!/bin/sh\necho changed\n');
  const [changed] = (await rig.plan(text)).instances;
  expect(changed && reasonText(changed.reason)).toBe('files.bin/tool.sh changed');
  await file('bin/tool.sh', '#!/bin/sh\necho tool\n');
  // Who else may do so is not what the program sees.
  await chmod(tool, 0o700);
  expect((await rig.plan(text)).instances[0]?.verdict).toBe('cached');
  await chmod(tool, 0o600);
  expect((await rig.plan(text)).instances[0]?.verdict).toBe('cached');
  expect(await seenNow()).toBe('no tool\n');
  await chmod(tool, 0o755);
  expect(await seenNow()).toBe('tool\n');
});

test.each(['000', '077'])(
  'under the umask %s what a program is handed has the same rights, whatever they were',
  async (umask) => {
    await mkdir(join(rig.folder, 'd'));
    const modes = [0o400, 0o600, 0o644, 0o666, 0o500, 0o755, 0o777, 0o677];
    for (const mode of modes) {
      await file(`d/${mode.toString(8)}`, 'text');
      await chmod(join(rig.folder, 'd', mode.toString(8)), mode);
    }
    const before = process.umask(umask);
    try {
      const told = await seenBy(`
stages:
  make: {run: [sh, -c, 'echo x >"$0"', "\${out.t}", "\${n}"], out: {t: file}, sweep: {n: [1]}}
  one: {run: [sh, -c, 'echo one >"$0"', "\${out.t}"], out: {t: file}}
  look:
    run: [sh, -c, 'stat -c "%a %n" d/* in/one in/*/*']
    files: [d]
    in: {one: one.t, all: {from: make.t, over: [n]}}
`);
      expect(told.trim().split('\n')).toEqual([
        '644 d/400',
        '755 d/500',
        '644 d/600',
        '644 d/644',
        '644 d/666',
        '644 d/677',
        '755 d/755',
        '755 d/777',
        '755 in/one',
        '644 in/all/index.json',
        '755 in/all/n=1',
      ]);
    } finally {
      process.umask(before);
    }
  },
);

test('an input may be executed, whoever gave its bytes first', async () => {
  const text = (chmod: string): string => `
stages:
  make: {run: [sh, -c, 'printf "#!/bin/sh\\necho tool\\n" >"$0"${chmod}', "\${out.tool}"], out: {tool: file}}
  use: {run: ["\${in.tool}"], in: {tool: make.tool}}
`;
  for (const [chmod, ran] of [
    ['', ['make', 'use']],
    ['; chmod +x "$0"', ['make']],
  ] as const) {
    const run = await rig.run(text(chmod));
    expect(run.totals, JSON.stringify(run.events)).toMatchObject({failed: 0});
    expect(run.ran).toEqual(ran);
  }
});

test('a variable that is called as a property of every object is one like any other', async () => {
  const text = `stages: {told: {run: [sh, -c, 'echo "<$constructor>"'], env: [constructor]}}`;
  const {records, totals, events} = await rig.run(text);
  expect(totals, JSON.stringify(events)).toMatchObject({ran: 1});
  expect(records[0]?.preimage.params).toMatchObject({env: {constructor: null}});
});

test('what a folder or a pattern cannot give is told', async () => {
  for (const folder of ['empty/inner', 'loop/inner', 'dangling', 'out'])
    await mkdir(join(rig.folder, folder), {recursive: true});
  await file('loop/a.csv', 'a');
  await file('dangling/a.csv', 'a');
  await file('out/a.csv', 'a');
  await symlink('..', join(rig.folder, 'loop', 'inner', 'up'));
  await symlink('nowhere.csv', join(rig.folder, 'dangling', 'b.csv'));
  spawnSync('mkfifo', [join(rig.folder, 'dangling', 'pipe.fifo')]);
  const reason = async (files: string): Promise<unknown> => (await rig.plan(list(files))).instances[0]?.reason;
  const told = (detail: string, hint: unknown = expect.any(String)) => ({
    why: 'unresolved',
    parameter: 'files',
    detail,
    hint,
  });
  expect(await reason('[empty]')).toEqual(told('The folder empty has no file in it.'));
  expect(await reason('{x: empty/}')).toEqual(told('The folder empty/ has no file in it.'));
  expect(await reason('[loop]')).toEqual(told('The link loop/inner/up leads to a folder that it lies in.'));
  expect(await reason('[dangling]')).toEqual(told('The link dangling/b.csv leads to nothing.'));
  expect(await reason('["dangling/*.csv"]')).toEqual(told('The link dangling/b.csv leads to nothing.'));
  expect(await reason('["dangling/*.fifo"]')).toEqual(told('dangling/pipe.fifo is neither a file nor a folder.'));
  // A pipe would be waited on for ever, and this device has no end.
  expect(await reason('[dangling/pipe.fifo]')).toEqual(told('dangling/pipe.fifo is neither a file nor a folder.'));
  expect(await reason('{zeros: /dev/zero}')).toEqual(told('/dev/zero is neither a file nor a folder.'));
  expect(await reason('["*/*.txt"]')).toEqual(told('No file matches */*.txt.'));
  expect(await reason('["o*/*.csv"]')).toEqual(told('The file out/a.csv would lie where inputs and outputs do.'));
  // Also where all that is found was named before.
  expect(await seen('[loop/a.csv, "loop/*.csv"]')).toBe('a');
  // What is in a loop is matched without it.
  expect(await seen('["loop/**/*.csv"]')).toBe('a');
});
