import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {failuresOf} from '../user-models/told.ts';

const TABLE =
  "{table: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}, text: {kind: 'file', doc: 'Text.'}}";

const stage = (name: string, body: string, outputs = TABLE): string => `import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: '${name}', doc: 'Mine.', params: z.strictObject({n: z.number().default(0)}), inputs: {}, computes: 'plain',
  outputs: ${outputs},
  run: async () => ${body},
});
`;

/** What a run tells of stages whose `run` gives these, by their names. */
async function returned(bodies: Readonly<Record<string, string>>, outputs?: string): Promise<object> {
  const cwd = await scratchFolder();
  for (const [name, body] of Object.entries(bodies))
    await writeFile(join(cwd, `${name}.ts`), stage(name, body, outputs));
  const nodes = Object.keys(bodies).map((name) => `  ${name}: {uses: ./${name}.ts}`);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${nodes.join('\n')}\n`);
  return failuresOf((await basin(['run', 'p.yaml', '--json', '--keep-going'], {cwd})).stdout);
}

/** Each told of its own file, and with what to return where nothing else is said. */
const named = (told: Readonly<Record<string, string>>, form: string): object =>
  Object.fromEntries(
    Object.entries(told).map(([name, text]) => {
      const whole = `The stage ${name}.ts ${text}`;
      return [name, whole.includes('\n') ? whole : `${whole}\nHave its "run" return {t: ${form}}.`];
    }),
  );

const RETURN = 'Have its "run" return {table: [{…}, …]}.';

test('a stage that returns nothing, or not what it declares, is told what to return', async () => {
  const told = await returned({
    nothing: 'undefined',
    none: 'null',
    lacks: '({})',
    'gives-null': '({table: null})',
    'gives-text': "({table: 'text'})",
    'lacks-the-second': '({table: [{value: 1}]})',
  });
  expect(told).toEqual({
    nothing: `The stage nothing.ts returned nothing, and no outputs.\n${RETURN}`,
    none: `The stage none.ts returned null, and no outputs.\n${RETURN}`,
    lacks: `The stage lacks.ts gave no "table".\n${RETURN}`,
    'gives-null': `The stage gives-null.ts gave null as its output "table".\n${RETURN}`,
    'gives-text': `The stage gives-text.ts gave the text "text" as its output "table".\n${RETURN}`,
    'lacks-the-second': `The stage lacks-the-second.ts gave no "text".\n${RETURN.replace('table: [{…}, …]', 'text: {path: …}')}`,
  });
});

test('what a stage gives is looked at part by part, and told with its file', {timeout: 60_000}, async () => {
  const cannot = 'gave an output "t" that cannot be stored.';
  const rows = {
    'a-map': ['({t: {v: [1]}})', 'gave a map as its output "t".'],
    'a-promise': ['({t: Promise.resolve([{v: 1}])})', 'gave a promise as its output "t".'],
    'a-row-of-nothing': ['({t: [{v: 1}, null]})', 'gave null as row 1 of its output "t".'],
    'a-row-of-cells': ['({t: [[1]]})', 'gave a list as row 0 of its output "t".'],
    'a-cell-more': [
      '({t: [{v: 1, speed: 2}]})',
      `${cannot} Row 0 has a cell "speed", which is no column of this output.\nThe columns are: v. Declare it under \`columns\` in the stage file.`,
    ],
    'a-cell-less': ['({t: [{}]})', `${cannot} Row 0 of a table has nothing in column "v", which must hold a number.`],
    'another-type': [
      "({t: [{v: '1'}]})",
      `${cannot} Row 0 of a table has "1" in column "v", which must hold a number.`,
    ],
    undeclared: [
      '({t: [{v: 1}], tt: []})',
      'gave "tt", which is none of the outputs that it declares.\nDid you mean "t"?',
    ],
  } as const;
  const of = (cases: Readonly<Record<string, readonly [string, string]>>, at: 0 | 1) =>
    Object.fromEntries(Object.entries(cases).map(([name, parts]) => [name, parts[at]]));
  const columns = "{t: {kind: 'summary', doc: 'A value.', columns: {v: 'float64'}}}";
  expect(await returned(of(rows, 0), columns)).toEqual(named(of(rows, 1), '[{…}, …]'));

  const tensors = (list: string): string => `({t: {model: {}, preprocessor: {}, tensors: ${list}}})`;
  const weights = {
    'a-table': ['({t: [{v: 1}]})', 'gave a list as its output "t".'],
    'no-model': ['({t: {tensors: []}})', 'gave nothing as "model" of its output "t".'],
    'a-model-of-functions': [
      '({t: {model: {f() {}}, preprocessor: {}, tensors: []}})',
      'gave a map as "model" of its output "t".',
    ],
    'tensors-by-name': [tensors('{}'), 'gave a map as "tensors" of its output "t".'],
    'no-tensor': [tensors('[null]'), 'gave null as tensor 0 of its output "t".'],
    'no-shape': [
      tensors("[{name: 'a', values: new Float32Array(1)}]"),
      'gave nothing as "shape" of tensor 0 of its output "t".',
    ],
    doubles: [
      tensors("[{name: 'a', shape: [1], values: new Float64Array(1)}]"),
      'gave a Float64Array as "values" of tensor 0 of its output "t".',
    ],
    'of-another-size': [
      tensors("[{name: 'a', shape: [2], values: new Float32Array(3)}]"),
      `${cannot} Tensor "a" of shape [2] must hold 2 values and holds 3.`,
    ],
  } as const;
  expect(await returned(of(weights, 0), "{t: {kind: 'weights', doc: 'A network.'}}")).toEqual(
    named(of(weights, 1), '{model, preprocessor, tensors: [{name, shape, values}, …]}'),
  );

  const files = {
    'a-number': ['({t: {path: 3}})', 'gave 3 as the path of its output "t".'],
    'not-there': ["({t: {path: '/nowhere/x'}})", `${cannot} The output "t" is no file: /nowhere/x.`],
  } as const;
  expect(await returned(of(files, 0), "{t: {kind: 'file', doc: 'A file.'}}")).toEqual(named(of(files, 1), '{path: …}'));
});

test('a stage of many points gives each of them once', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  const bodies = {
    twice: 'yield {index: 0, outputs: {t: [{v: 1}]}}; yield {index: 0, outputs: {t: [{v: 1}]}};',
    'not-all': 'yield {index: 0, outputs: {t: [{v: 1}]}};',
  };
  for (const [name, body] of Object.entries(bodies)) {
    const code = stage(name, '({t: [{v: 1}]})', "{t: {kind: 'summary', doc: 'A value.', columns: {v: 'float64'}}}");
    await writeFile(
      join(cwd, `${name}.ts`),
      code.replace('  run:', `  runMany: async function* () { ${body} },\n  run:`),
    );
  }
  const nodes = Object.keys(bodies).map((name) => `  ${name}: {uses: ./${name}.ts, sweep: {n: [1, 2]}}`);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${nodes.join('\n')}\n`);
  const run = await basin(['run', 'p.yaml', '--json', '--keep-going', '--jobs', '1'], {cwd});
  const once = 'Have it yield {index, outputs} once for each of its points, with an index from 0.';
  expect(failuresOf(run.stdout)).toEqual({
    'twice[n=2]': `The "runMany" of twice.ts gave point 0 twice, of 2.\n${once}`,
    'not-all[n=2]': `The "runMany" of not-all.ts gave only 1 of 2 points.\n${once}`,
  });
});
