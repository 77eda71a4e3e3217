import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {RecordBatch, Schema, Table, tableFromArrays, tableToIPC} from 'apache-arrow';
import {expect, test} from 'vitest';
import {readRows} from '../../src/results/read-artifact.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {failures} from './told.ts';

const DIVERGED = 'The computation diverged or divided zero by zero: a lower learning rate may help.';

const [plain] = tableFromArrays({name: ['a'], value: [1], again: [2]}).batches;
if (!plain) throw new Error('A table has a batch.');
const fields = plain.schema.fields.map((field) => (field.name === 'again' ? field.clone({name: 'value'}) : field));
const twice = new RecordBatch(new Schema(fields), plain.data);

/** By node: what a program writes as its table. */
const WRITTEN: Readonly<Record<string, string | Uint8Array>> = {
  plain: '[{"name": "NaN", "value": 0.1}, {"name": "12345678901234567890", "value": 123456789012345680000}]',
  infinite: '[{"name": "a\\\\\\" {NaN", "value": Infinity}, {"name": "-Infinity", "value": -Infinity}]',
  largest: '[{"name": "", "value": 9007199254740992}, {"name": "", "value": 18014398509481984}]',
  diverged: '[{"name": "", "value": 1}, {"name": "Infinity", "value": NaN}]',
  rounded: '[{"name": "", "value": 9007199254740993}]',
  unbounded: '[{"name": "", "value": -1e400}]',
  vanished: `[{"name": "1e-400", "value": 1e-300}, {"name": "", "value": -1e-400}]`,
  'vanished-digits': `[{"name": "", "value": 0.${'0'.repeat(330)}1}]`,
  nothing: `[{"name": "0e-400", "value": 0e-400}, {"name": "", "value": 0.${'0'.repeat(400)}}]`,
  twice: '[{"name": "a", "value": 1}, {"name": "b\\": ", "value": 1, "val\\u0075e": 2}]',
  'twice-around': '[{"name": {"name": 1}, "value": 1, "name": "b"}]',
  once: '[{"name": "\\"a\\": ", "value": 1}, {"value": 2, "name": "\\"value\\": 3"}]',
  broken: '[{"name": "", "value": NaN]',
  arrow: tableToIPC(tableFromArrays({name: ['a', 'b'], value: BigInt64Array.from([9007199254740992n, -5n])}), 'file'),
  'arrow-twice': tableToIPC(new Table([twice]), 'file'),
  'arrow-rounded': tableToIPC(tableFromArrays({name: ['a'], value: BigInt64Array.from([-9007199254740993n])}), 'file'),
};

const valuesOf = (rig: PipelineRig, run: RigRun, id: string): Promise<readonly unknown[]> =>
  rig.withStore(async (store) => {
    const members = run.plan.instances.flatMap(({instance}) =>
      instance.id === id ? [{instance, record: run.records[instance.index]}] : [],
    );
    const rows = await readRows(store, members, 'table');
    return rows.ok ? rows.value.map(({value}) => value) : [rows.error];
  });

test("a program's numbers are stored as it wrote them, or refused", async () => {
  await using rig = await PipelineRig.create();
  const nodes = Object.entries(WRITTEN).map(async ([name, content]) => {
    await writeFile(join(rig.folder, name), content);
    return `  ${name}: {run: [cp, ${name}, "\${out.table}"], files: [${name}], out: {table: {kind: summary, columns: {name: utf8, value: float64}}}}`;
  });
  const run = await rig.run(`stages:\n${(await Promise.all(nodes)).join('\n')}`, {onFailure: 'keep-going'});
  const whole = 'Write it as text where it is a name, or as';
  const vanished = 'and the nearest number of 64 bits is 0.\nWrite 0 where it may be rounded.';
  const once = 'Write one cell for each column of a row.';
  expect(failures(run)).toEqual({
    diverged: `Row 1 of a table has NaN in column "value", which must hold a number.\n${DIVERGED}`,
    rounded: `Row 0 of a table has 9007199254740993 in column "value", and the nearest number of 64 bits is 9007199254740992.\n${whole} 9007199254740992 where it may be rounded.`,
    unbounded:
      'Row 0 of a table has -1e400 in column "value", and numbers go up to 1.7976931348623157e+308.\nWrite Infinity where it is meant.',
    vanished: `Row 1 of a table has -1e-400 in column "value", ${vanished}`,
    'vanished-digits': `Row 0 of a table has 0.${'0'.repeat(330)}1 in column "value", ${vanished}`,
    twice: `Row 1 of a table has the column "val\\u0075e" twice.\n${once}`,
    'twice-around': `Row 0 of a table has the column "name" twice.\n${once}`,
    'arrow-twice': 'The output "table" has two columns "value".\nName each column once.',
    broken: expect.stringMatching(/^The output "table" is neither an Arrow file nor JSON\./),
    'arrow-rounded': `Row 0 of a table has -9007199254740993 in column "value", and the nearest number of 64 bits is -9007199254740992.\n${whole} -9007199254740992 where it may be rounded.`,
  });
  expect(await valuesOf(rig, run, 'plain')).toEqual([0.1, 123456789012345680000]);
  expect(await valuesOf(rig, run, 'infinite')).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(await valuesOf(rig, run, 'largest')).toEqual([2 ** 53, 2 ** 54]);
  expect(await valuesOf(rig, run, 'nothing')).toEqual([0, 0]);
  expect(await valuesOf(rig, run, 'once')).toEqual([1, 2]);
  expect(await valuesOf(rig, run, 'arrow')).toEqual([2 ** 53, -5]);
});
