import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {tableFromIPC} from 'apache-arrow';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {readRows} from '../../src/results/read-artifact.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {bytesOf, failures} from './told.ts';

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

const file = (name: string, text: string): Promise<void> => writeFile(join(rig.folder, name), text);

/** The text of the `file` artifact of an instance. */
const textOf = async (run: RigRun, id: string, artifact: string): Promise<string> =>
  new TextDecoder().decode(await bytesOf(rig, run, id, artifact));

const CHAIN = `
stages:
  make:
    run: [sh, make.sh, "\${n}", "\${out.text}"]
    files: [make.sh]
    out: {text: {kind: file, extension: txt}}
    sweep: {n: [1, 2, 10]}
  size:
    run: [sh, -c, 'printf "[{\\"bytes\\": %d}]" "$(wc -c <"$0")" >"$1"', "\${in.text}", "\${out.size}"]
    in: {text: make.text}
    out: {size: {kind: summary, columns: {bytes: int32}, extension: json}}
  all:
    run: [sh, -c, 'head -c 6 "$0"; echo; basename "$0"', "\${in.sizes}"]
    in: {sizes: {from: size.size, over: [n]}}
`;

describe('programs in the graph', () => {
  test('take files and tables, give files and tables, follow sweeps and gather', async () => {
    await file('make.sh', 'printf "%s" "$1" >"$2"; echo "made $1"; ls');
    const first = await rig.run(CHAIN);
    expect(first.totals).toMatchObject({ran: 7, failed: 0});
    expect(await textOf(first, 'make[n=10]', 'text')).toBe('10');
    expect(await textOf(first, 'make[n=2]', 'log')).toBe('made 2\nmake.sh\nout\n');
    expect(await textOf(first, 'all', 'log')).toBe('ARROW1\nsizes.arrow\n');
    const sizes = first.plan.instances.flatMap(({instance}) =>
      instance.node === 'size' ? [{instance, record: first.records[instance.index]}] : [],
    );
    const rows = await rig.withStore((store) => readRows(store, sizes, 'size'));
    expect(rows).toMatchObject({
      value: [
        {n: 1, bytes: 1},
        {n: 2, bytes: 1},
        {n: 10, bytes: 2},
      ],
    });

    expect((await rig.run(CHAIN)).totals).toMatchObject({ran: 0, cached: 7});
    // Equal bytes of another script cut off what is below; another point runs alone with what gathers it.
    await file('make.sh', 'printf "%s" "$1" >"$2"');
    expect((await rig.run(CHAIN)).totals).toMatchObject({ran: 3, cutOff: 4});
    expect((await rig.run(CHAIN.replace('10]', '10, 11]'))).ran).toEqual(['all', 'make[n=11]', 'size[n=11]']);
  });

  test('run in a folder of their own, where only what is declared lies', async () => {
    await mkdir(join(rig.folder, 'data', 'deep'), {recursive: true});
    await file('data/a.csv', 'a');
    await file('data/deep/b.csv', 'b');
    await file('data/c.txt', 'c');
    await file('unseen.txt', 'u');
    const list = (files: string) => `stages: {list: {run: [find, ., -type, f], files: ${files}}}`;
    const seen = async (files: string) => {
      const log = await textOf(await rig.run(list(files)), 'list', 'log');
      return log.trim().split('\n').sort();
    };
    expect(await seen('["data/*.csv"]')).toEqual(['./data/a.csv']);
    expect(await seen('[data]')).toEqual(['./data/a.csv', './data/c.txt', './data/deep/b.csv']);
    expect(await seen('{x: data/c.txt, sub: data/deep}')).toEqual(['./sub/b.csv', './x']);
    await file('data/a.csv', 'changed');
    expect((await rig.run(list('[data]'))).ran).toEqual(['list']);
    expect((await rig.run(list('[data]'))).ran).toEqual([]);
    expect(await readFile(join(rig.folder, 'data/a.csv'), 'utf8')).toBe('changed');
  });

  test('see variables that are declared, whose values are in the key, passed ones as digests', async () => {
    process.env.BASIN_TEST_TOKEN = 'a secret of forty letters';
    const show = (env: string) => `stages: {show: {run: [sh, -c, 'echo "<$BASIN_TEST_TOKEN> <$SET>"'], env: ${env}}}`;
    try {
      expect(await textOf(await rig.run(show('{}')), 'show', 'log')).toBe('<> <>\n');
      const passed = show('{SET: 1, BASIN_TEST_TOKEN: }');
      expect(await textOf(await rig.run(passed), 'show', 'log')).toBe('<a secret of forty letters> <1>\n');
      expect((await rig.run(passed)).ran).toEqual([]);
      const keys = await readdir(join(rig.cache, 'keys'), {recursive: true, withFileTypes: true});
      const records = await Promise.all(
        keys.filter((key) => key.isFile()).map((key) => readFile(join(key.parentPath, key.name), 'utf8')),
      );
      expect(records).toHaveLength(2);
      expect(records.join()).not.toContain('a secret');
      process.env.BASIN_TEST_TOKEN = 'another';
      expect((await rig.run(passed)).ran).toEqual(['show']);
    } finally {
      delete process.env.BASIN_TEST_TOKEN;
    }
  });

  test('are tried again when they fail, as often as the node says', async () => {
    const text = (limit: number, retries: number) =>
      `stages: {flaky: {run: [sh, -c, 'echo x >>"$0"; [ "$(wc -l <"$0")" -ge ${limit} ]', "${join(rig.folder, 'tries')}"], retries: ${retries}}}`;
    expect((await rig.run(text(3, 2))).totals).toMatchObject({ran: 1, failed: 0});
    expect((await rig.run(text(6, 1))).totals).toMatchObject({ran: 0, failed: 1});
    expect(await readFile(join(rig.folder, 'tries'), 'utf8')).toBe('x\n'.repeat(5));
  });

  test('take and give weights and tables of basin as they are', async () => {
    const copy = `
stages:
  one: {uses: number, with: {value: 3}}
  copy: {run: [cp, "\${in.a}", "\${out.b}"], in: {a: one.summary}, out: {b: {kind: summary, columns: {value: float64}}}}
  two: {uses: add, in: {a: copy.b, b: one.summary}}
`;
    const {records} = await rig.run(copy);
    expect(records.map((record) => record?.outputs.summary?.inline ?? record?.outputs.b?.inline)).toEqual([
      [{value: 3}],
      [{value: 3}],
      [{value: 6}],
    ]);
    expect(records[1]?.outputs.b?.digest).toBe(records[0]?.outputs.summary?.digest);
  });
});

const OUT = 'out: {a: {kind: file, extension: txt}}';
test('the order of declared columns is that of the table, and a part of the key', async () => {
  const table = (columns: string): string => `
stages:
  t: {run: [sh, -c, 'echo "[{\\"a\\": 1, \\"b\\": 2}]" >"$0"', "\${out.t}"], out: {t: {kind: summary, columns: ${columns}}}}
`;
  const columnsOf = async (columns: string, ran: readonly string[]): Promise<readonly string[]> => {
    const run = await rig.run(table(columns));
    expect(run.ran, JSON.stringify(run.events)).toEqual(ran);
    const digest = run.records[0]?.outputs.t?.digest;
    if (digest === undefined) throw new Error('there is no table');
    const bytes = await rig.withStore((store) => store.readBlob(digest));
    return tableFromIPC(bytes).schema.fields.map(({name}) => name);
  };
  expect(await columnsOf('{a: int32, b: int32}', ['t'])).toEqual(['a', 'b']);
  expect(await columnsOf('{b: int32, a: int32}', ['t'])).toEqual(['b', 'a']);
  expect(await columnsOf('{a: int32, b: int32}', [])).toEqual(['a', 'b']);
});

const SUMMARY = 'out: {a: {kind: summary, columns: {value: float64}}}';
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: as messages have it
const BROKEN: readonly (readonly [string, string, string | RegExp])[] = [
  [
    'fails',
    `run: [sh, -c, 'echo one; echo two >&2; exit 3']`,
    'sh ended with exit code 3.\nIts last lines are shown.\none\ntwo',
  ],
  ['dies', `run: [sh, -c, 'kill -9 $$']`, 'sh ended with signal SIGKILL.\nIt wrote nothing.'],
  ['is not there', `run: [no-such-program]`, /^There is no program "no-such-program" on the PATH\.\nThe PATH is /],
  [
    'is not declared',
    `run: [./no-such.sh]`,
    'There is no program ./no-such.sh.\nName it under "files"; paths start at the folder of the pipeline file.',
  ],
  [
    'gives nothing',
    `run: ["true"], ${OUT}`,
    'true ended well but did not write its output "a".\nHave it write to ${out.a}.',
  ],
  [
    'writes elsewhere',
    `run: [touch, a.txt], ${OUT}`,
    'touch ended well but did not write its output "a".\nIt wrote a.txt; have it write to ${out.a}.',
  ],
  [
    'makes a folder',
    `run: [mkdir, "\${out.a}"], ${OUT}`,
    'mkdir ended well but made its output "a" something that is no file.\nHave it write to ${out.a}.',
  ],
  [
    'makes a link',
    `run: [ln, -s, /etc/passwd, "\${out.a}"], ${OUT}`,
    'ln ended well but made its output "a" something that is no file.\nHave it write to ${out.a}.',
  ],
  [
    'writes more',
    `run: [touch, "\${out.a}", out/b.csv], ${OUT}`,
    'touch wrote out/b.csv, which the node does not declare.\nDeclare it: out: {b: {kind: file, extension: csv}}.',
  ],
  [
    'takes too long',
    `run: [sleep, 60], timeout: 0.2s`,
    'It took longer than its time-out of 0.2 s.\nRaise "timeout" of the node, or leave it out.',
  ],
  [
    'gives no table',
    `run: [sh, -c, 'echo value >"$0"', "\${out.a}"], ${SUMMARY}`,
    /^The output "a" is neither an Arrow file nor JSON\./,
  ],
  [
    'gives half a table',
    `run: [sh, -c, 'printf ARROW1__ >"$0"', "\${out.a}"], ${SUMMARY}`,
    /^The output "a" begins like an Arrow file and cannot be read as one\./,
  ],
  [
    'gives another column',
    `run: [sh, -c, 'echo [{\\"vale\\":1}] >"$0"', "\${out.a}"], ${SUMMARY}`,
    /^Row 0 of a table has nothing in column "value"|^Row 0 has a cell "vale"/,
  ],
  [
    'gives no cell',
    `run: [sh, -c, 'echo [{\\"value\\":[]}] >"$0"', "\${out.a}"], ${SUMMARY}`,
    /^Row 0 of the output "a" has .* in column "value"; cells are texts, numbers, true or false\./,
  ],
  [
    'gives no row',
    `run: [sh, -c, 'echo [1] >"$0"', "\${out.a}"], ${SUMMARY}`,
    /^Row 0 of the output "a" is no map of columns to cells\./,
  ],
  ['lacks its data', `run: [cat, x], files: [missing.txt]`, /missing\.txt does not exist/],
  ['names nothing', `run: [cat, x], files: ["*.none"]`, /No file matches \*\.none\./],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as messages have it

test('whatever a program does wrong is told, with what to do', async () => {
  const nodes = BROKEN.map(([name, node]) => `  ${name.replaceAll(' ', '-')}: {${node}}`);
  const run = await rig.run(`stages:\n${nodes.join('\n')}`, {onFailure: 'keep-going'});
  expect(run.totals).toMatchObject({ran: 0, failed: BROKEN.length});
  const told = failures(run);
  for (const [name, , text] of BROKEN) {
    if (typeof text === 'string') expect(told[name.replaceAll(' ', '-')]).toBe(text);
    else expect(told[name.replaceAll(' ', '-')]).toMatch(text);
  }
});
