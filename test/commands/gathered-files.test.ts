import {tableFromIPC} from 'apache-arrow';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';

let rig: PipelineRig;
beforeEach(async () => {
  rig = await PipelineRig.create();
});
afterEach(() => rig[Symbol.asyncDispose]());

async function logOf({records, plan}: RigRun, id: string, of = rig): Promise<string> {
  const digest = records[plan.instances.findIndex(({instance}) => instance.id === id)]?.outputs.log?.digest;
  if (digest === undefined) throw new Error(`${id} has no log`);
  return of.withStore(async (store) => Buffer.from(await store.readBlob(digest)).toString());
}

const LOOK = `'cd "$0" && ls && cat index.json && for file in n*; do printf "%s: " "$file"; cat "./$file"; done'`;
const text = (values: string): string => `
stages:
  make:
    run: [sh, -c, 'echo "\${n} \${m}" >"$0"', "\${out.t}"]
    out: {t: {kind: file, extension: txt}}
    sweep: {n: ${values}, m: [x]}
  all: {run: [sh, -c, ${LOOK}, "\${in.texts}"], in: {texts: {from: make.t, over: [n]}}}
  both: {run: [sh, -c, 'cat "$0"/*.txt', "\${in.texts}"], in: {texts: {from: make.t, over: [n, m]}}}
`;

test('files are gathered into a folder, named by their axes, with an index in the order of the points', async () => {
  const first = await rig.run(text('[10, 2]'));
  expect(first.totals, JSON.stringify(first.events)).toMatchObject({ran: 4, failed: 0});
  expect(await logOf(first, 'all[m=x]')).toBe(
    [
      'index.json',
      'n=10.txt',
      'n=2.txt',
      '[{"axes":{"n":2},"file":"n=2.txt"},',
      '{"axes":{"n":10},"file":"n=10.txt"}]',
      'n=10.txt: 10 x',
      'n=2.txt: 2 x',
      '',
    ].join('\n'),
  );
  expect(await logOf(first, 'both')).toBe('10 x\n2 x\n');
  expect((await rig.run(text('[2, 10]'))).ran).toEqual([]);
  expect((await rig.run(text('[2, 10, 3]'))).ran).toEqual(['all[m=x]', 'both', 'make[n=3,m=x]']);
});

test('the order in which axes are written decides nothing: neither what runs nor what a program sees', async () => {
  const looked = (over: string): string =>
    text('[10, 2]').replace('\'cat "$0"/*.txt\'', `'cd "$0" && ls && cat index.json'`).replace('[n, m]', over);
  const log = await logOf(await rig.run(looked('[n, m]')), 'both');
  expect(log).toContain('m=x,n=10.txt');
  expect((await rig.run(looked('[m, n]'))).ran).toEqual([]);
  await rig[Symbol.asyncDispose]();
  rig = await PipelineRig.create();
  expect(await logOf(await rig.run(looked('[m, n]')), 'both')).toBe(log);
});

test('what is gathered is a folder or one table, which is in the key although the bytes are the same', async () => {
  const looked = (kind: string, gathers = ''): string => `
stages:
  src:
    run: [sh, -c, 'echo "[{\\"a\\": $0}]" >"$1"', "\${k}", "\${out.t}"]
    out: {t: {kind: summary, columns: {a: float64}}}
    sweep: {k: [1, 2]}
  copy: {run: [cp, "\${in.t}", "\${out.t}"], in: {t: src.t}, out: {t: ${kind}}}
  look:
    run: [sh, -c, 'if [ -d "$0" ]; then ls "$0"; else echo "one file $0"; fi', "\${in.t}"]
    in: {t: {from: copy.t, over: [k]${gathers}}}
`;
  const [table, file] = ['{kind: summary, columns: {a: float64}}', 'file'];
  const seen: string[] = [];
  for (const kind of [file, table, '{kind: file, extension: arrow}', '{kind: file, extension: table}', table, file]) {
    const run = await rig.run(looked(kind));
    expect(run.totals, JSON.stringify(run.events)).toMatchObject({failed: 0});
    seen.push(await logOf(run, 'look'));
  }
  expect(seen).toEqual([
    'index.json\nk=1\nk=2\n',
    'one file in/t.arrow\n',
    'index.json\nk=1.arrow\nk=2.arrow\n',
    'index.json\nk=1.table\nk=2.table\n',
    'one file in/t.arrow\n',
    'index.json\nk=1\nk=2\n',
  ]);
});

test('how a value of an axis is written decides nothing: neither what runs nor what a program sees', async () => {
  const looked = (values: string, kind: string, used: string): string => `
stages:
  make: {run: [sh, -c, 'echo "[{\\"a\\": 1}]" >"$0"', "\${out.t}", "\${${used}}"], out: {t: ${kind}}, sweep: {k: ${values}}}
  look: {run: [sh, -c, 'if [ -d "$0" ]; then ls "$0"; cat "$0/index.json"; else od -An -tx1 "$0"; fi', "\${in.t}"], in: {t: {from: make.t, over: [k]}}}
`;
  const table = '{kind: summary, columns: {a: float64}}';
  for (const [kind, used, one, other] of [
    ['file', 'k.v', '[{v: 2, m: {d: 1, c: 2}}, {v: 1}]', '[{v: 1}, {m: {c: 2, d: 1}, v: 2}]'],
    [table, 'k.v', '[{v: 2, m: {d: 1, c: 2}}, {v: 1}]', '[{v: 1}, {m: {c: 2, d: 1}, v: 2}]'],
    ['file', 'k', '[0, 1]', '[-0.0, 1]'],
    [table, 'k', '[0, 1]', '[-0.0, 1]'],
  ] as const) {
    const seen: string[] = [];
    for (const values of [one, other]) {
      await using fresh = await PipelineRig.create();
      const run = await fresh.run(looked(values, kind, used));
      expect(run.totals, JSON.stringify(run.events)).toMatchObject({failed: 0});
      seen.push(`${Object.keys(run.records.at(-1)?.preimage ?? {})} ${await logOf(run, 'look', fresh)}`);
    }
    expect(seen[1], kind).toBe(seen[0]);
  }
});

test('whatever the values of an axis, each member has a name of its own that stays in its folder', async () => {
  const long = 'y'.repeat(300);
  const odd = await rig.run(text(`["../../up", "a/b", "A b", "a b", 1, "1", {k: [1]}, "", ".", ${long}]`));
  expect(odd.totals, JSON.stringify(odd.events)).toMatchObject({failed: 0});
  const log = await logOf(odd, 'all[m=x]');
  const index: readonly {axes: {n: unknown}; file: string}[] = JSON.parse(/\[\{.*\}\]/s.exec(log)?.[0] ?? '');
  expect(index.map(({axes: {n}}) => n)).toEqual(
    expect.arrayContaining(['../../up', 'a/b', 'A b', 'a b', 1, '1', {k: [1]}, '', '.', long]),
  );
  const names = index.map(({file}) => file);
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(10);
  for (const name of names) expect(name).toMatch(/^n=[A-Za-z0-9._%~+-]{0,120}\.txt$/);
  expect(log).toContain(`${index.find(({axes: {n}}) => n === 'a/b')?.file}: a/b x\n`);
});

test('weights and masks are gathered too, and a file that is missing or failed is dealt with as ever', async () => {
  const networks = `
stages:
  made: {run: [sh, -c, 'test "$2" != 3 && cp "$0" "$1"', "\${in.w}", "\${out.w}", "\${n}"], in: {w: start.weights}, out: {w: weights}, sweep: {n: [1, 2, 3]}}
  start: {uses: network, with: {weight: 1}}
  sizes: {run: [sh, -c, 'cd "$0"; ls; head -c 6 n=1.arrow', "\${in.all}"], in: {all: {from: made.w, over: [n]}}}
`;
  const run = await rig.run(networks, {onFailure: 'keep-going'});
  expect(run.totals, JSON.stringify(run.events)).toMatchObject({failed: 1, skipped: 0});
  expect(await logOf(run, 'sizes')).toBe('index.json\nn=1.arrow\nn=2.arrow\nARROW1');
});

/** The table that a program is handed, with the types of its columns, of points that each have these rows. */
async function tableOf(values: string, axis = 'k', rows = '[{\\"v\\": 1}]') {
  const run = await rig.run(`
stages:
  make: {run: [sh, -c, 'echo "${rows}" >"$0"', "\${out.t}", "\${${axis}}"], out: {t: {kind: summary, columns: {v: float64}}}, sweep: {${axis}: ${values}}}
  all: {run: [cp, "\${in.t}", "\${out.t}"], in: {t: {from: make.t, over: [${axis}]}}, out: {t: file}}
`);
  expect(run.totals, JSON.stringify(run.events)).toMatchObject({failed: 0});
  const digest = run.records[run.plan.instances.findIndex(({instance}) => instance.id === 'all')]?.outputs.t?.digest;
  if (digest === undefined) throw new Error('all has no table');
  const table = tableFromIPC(await rig.withStore((store) => store.readBlob(digest)));
  return {
    columns: table.schema.fields.map(({name, type}) => `${name}: ${type}`),
    axis: [...(table.getChild(axis) ?? [])],
  };
}

test('an axis of a gathered table has the type of its values, and is text as in ids where they are of several', async () => {
  expect(await tableOf('[10, 2]')).toEqual({columns: ['k: Float64', 'v: Float64'], axis: [2, 10]});
  expect(await tableOf('[true, false]')).toEqual({columns: ['k: Bool', 'v: Float64'], axis: [false, true]});
  expect(await tableOf('["1", a]')).toEqual({columns: ['k: Utf8', 'v: Float64'], axis: ['1', 'a']});
  expect(await tableOf('[10, "a", true, 2, "1", 1, 0.5]')).toEqual({
    columns: ['k: Utf8', 'v: Float64'],
    axis: ['0.5', '1', '2', '10', '"1"', 'a', 'true'],
  });
});

test('a gathered table without rows has its columns, and an axis may be named like what every object has', async () => {
  expect(await tableOf('[1, 2]', 'k', '[]')).toEqual({columns: ['k: Float64', 'v: Float64'], axis: []});
  expect(await tableOf('[1, 2]', 'constructor')).toEqual({
    columns: ['constructor: Float64', 'v: Float64'],
    axis: [1, 2],
  });
});
