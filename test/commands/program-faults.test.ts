import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, onTestFinished, test, vi} from 'vitest';
import {reasonText} from '../../src/plan/reason-text.ts';
import {undeclaredFiles} from '../../src/plan/undeclared-files.ts';
import {PipelineRig} from '../rig/pipeline-rig.ts';
import {failures} from './told.ts';

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

test.skipIf(process.platform !== 'linux')('what the system hands to no program is told, and what to do', async () => {
  const long = 'x'.repeat(200_000);
  const many = Array.from({length: 40}, () => `"${'x'.repeat(100_000)}"`).join(', ');
  const text = `
stages:
  argument: {run: [echo, a, "${long}"], retries: 3}
  variable: {run: [env], env: {LONG: "${long}"}}
  all: {run: [echo, ${many}]}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  const hint = 'Put it into a file, and hand over its path: "files", or an output of another node.';
  expect(failures(run)).toEqual({
    argument: `Argument 2 of echo is 200000 bytes long; the system takes at most 131071.\n${hint}`,
    variable: `The variable LONG of env is 200005 bytes long; the system takes at most 131071.\n${hint}`,
    all: expect.stringMatching(
      /^The arguments and variables of echo are 40\d{5} bytes together, which is more than the system takes\.\n/,
    ),
  });
});

test('a declared file that goes, changes or becomes a folder while the pipeline runs is told', async () => {
  const files = ['gone', 'edited', 'folder'].map((name) => join(rig.folder, name));
  for (const file of files) await writeFile(file, 'before');
  const [gone, edited, folder] = files;
  const text = `
stages:
  first: {run: [sh, -c, 'rm "${gone}" "${folder}"; mkdir "${folder}"; echo after > "${edited}"']}
  gone: {run: [cat, gone], files: [gone], in: {log: first.log}}
  edited: {run: [cat, edited], files: [edited], in: {log: first.log}}
  folder: {run: [cat, folder], files: [folder], in: {log: first.log}}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  expect(failures(run)).toEqual({
    gone: `The file ${gone} was removed while the pipeline ran.\nPut it back, or run again without it.`,
    edited: `The file ${edited} changed while the pipeline ran.\nRun it again.`,
    folder: `The file ${folder} became a folder while the pipeline ran.\nPut it back, or run again without it.`,
  });
});

test('a folder is no program', async () => {
  await mkdir(join(rig.folder, 'tools'));
  await writeFile(join(rig.folder, 'tools', 'a'), '');
  const text = `
stages:
  dot: {run: [., x]}
  absolute: {run: ["${join(rig.folder, 'tools')}", x]}
  declared: {run: [./tools, x], files: [tools]}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  expect(failures(run)).toEqual({
    dot: expect.stringMatching(/^There is no program "\." on the PATH\./),
    absolute: `${join(rig.folder, 'tools')} is a folder, and no program.\nName the file in it that is to run.`,
    declared: './tools is a folder, and no program.\nName the file in it that is to run.',
  });
});

test('a file that is declared under another name is told by that', async () => {
  await mkdir(join(rig.folder, 'data'));
  await writeFile(join(rig.folder, 'data', 'a.csv'), '');
  const text = `
stages:
  other: {run: [cat, data/a.csv], files: {d.csv: data/a.csv}}
  absolute: {run: [cat, "${join(rig.folder, 'data', 'a.csv')}"], files: {d.csv: data/a.csv}}
  none: {run: [cat, data/a.csv]}`;
  const {instances} = await rig.plan(text);
  expect(undeclaredFiles(rig.graph(text), instances).map(({message, hint}) => [message, hint])).toEqual([
    [
      '"other" names the file data/a.csv, which it declares as d.csv: in its folder there is no other.',
      'Write d.csv in its place.',
    ],
    [
      '"none" names the file data/a.csv, which it does not declare: a change of it would not be seen.',
      'Add files: [data/a.csv].',
    ],
  ]);
});

test('a variable that is passed on and then is not, or is another, is told in words', async () => {
  const text = 'stages: {a: {run: [env], env: [BASIN_TEST_PASSED]}}';
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const reasonWith = async (value: string | undefined): Promise<string> => {
    vi.stubEnv('BASIN_TEST_PASSED', value);
    const [planned] = (await rig.plan(text)).instances;
    await rig.run(text);
    return planned ? reasonText(planned.reason) : '';
  };
  expect(await reasonWith('one')).toBe('has not run before');
  expect(await reasonWith('two')).toBe('env.BASIN_TEST_PASSED.passed changed');
  expect(await reasonWith(undefined)).toBe('env.BASIN_TEST_PASSED passed on → not set');
});

test('a file that is not declared is told how to be, and one that cannot be, where else it may go', async () => {
  const long = 'x'.repeat(121);
  const text = `
stages:
  plain: {run: [touch, out/b]}
  ending: {run: [touch, out/b-2.tar.gz]}
  hidden: {run: [touch, out/.hidden]}
  spaced: {run: [touch, "out/a b: c.tar.gz"]}
  ends-oddly: {run: [touch, "out/a.b c"]}
  log: {run: [touch, out/log.txt]}
  taken: {run: [touch, out/a, out/a.csv], out: {a: file}}
  long: {run: [touch, out/${long}]}
  folder: {run: [mkdir, out/b]}
  link: {run: [ln, -s, /dev/null, out/b]}`;
  const run = await rig.run(text, {onFailure: 'keep-going'});
  const undeclared = (program: string, file: string) =>
    `${program} wrote out/${file}, which the node does not declare.`;
  const nowhere =
    'No output can be declared for that name: have it use another one, remove the file, or write it outside of "out".';
  const noFile = 'An output is one file: have it pack what is in there, remove it, or write it outside of "out".';
  expect(failures(run)).toEqual({
    plain: `${undeclared('touch', 'b')}\nDeclare it: out: {b: file}.`,
    ending: `${undeclared('touch', 'b-2.tar.gz')}\nDeclare it: out: {b-2: {kind: file, extension: tar.gz}}.`,
    hidden: `${undeclared('touch', '.hidden')}\n${nowhere}`,
    spaced: `${undeclared('touch', 'a b: c.tar.gz')}\n${nowhere}`,
    'ends-oddly': `${undeclared('touch', 'a.b c')}\n${nowhere}`,
    log: `${undeclared('touch', 'log.txt')}\n${nowhere}`,
    taken: `${undeclared('touch', 'a.csv')}\n${nowhere}`,
    long: `${undeclared('touch', long)}\n${nowhere}`,
    folder: `${undeclared('mkdir', 'b')}\n${noFile}`,
    link: `${undeclared('ln', 'b')}\n${noFile}`,
  });
});
