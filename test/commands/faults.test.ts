import {expect, test} from 'vitest';
import {diagnosticJson} from '../../src/base/diagnostic.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {countingStages} from '../rig/counting-stages.ts';

const faultsOf = (text: string): readonly string[] => {
  const read = readPipeline({path: 'p.yaml', text}, countingStages);
  if (read.ok) return [];
  return read.error.map(diagnosticJson).map(({line, column, message, hint}) => `${line}:${column} ${message} ${hint}`);
};

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: as a pipeline has it
test.for([
  ['{run: [cat, "${out.z}"], out: {y: file}}', '2:20 The node "a" has no output "z". Did you mean "y"?'],
  ['{run: [cat, "${in.z}"]}', '2:20 The node "a" has no input "z". There are no inputs of "a".'],
  [
    '{run: [cat, null]}',
    '2:20 "run.1" of "run" cannot be null: it must be a text, a number, true or false. run: The program and its arguments, as a list; no shell reads them.',
  ],
  ['{run: [cat], out: {y: fil}}', '2:30 There is no kind "fil". Did you mean "file"?'],
  [
    '{run: [cat], out: {y: summary}}',
    '2:27 The output "y" does not say which columns its summary has. Write y: {kind: summary, columns: {loss: float64}}.',
  ],
  [
    '{run: [cat], out: {y: {kind: summary, columns: {a: float}}}}',
    '2:59 There is no type of column "float". Did you mean "float64"?',
  ],
  [
    '{run: [cat], out: {log: file}}',
    '2:27 "log" cannot be the name of an output: every node that runs a program has it, with what the program wrote. Choose another name.',
  ],
  [
    '{run: [cat], env: [A=1]}',
    '2:27 "env.0" of "run" cannot be "A=1": it is no name of a variable. env: Variables of the environment: names to pass on, or a map of names to values.',
  ],
  [
    '{run: [cat], timeout: 10}',
    '2:30 "timeout" of "a" must be a time of at most 24 days, not the number 10. Write it as 90s, 10min, 2h or 1d.',
  ],
  [
    '{run: [cat], with: {a: 1}}',
    '2:21 The node "a" runs a program, which takes no "with". Write values into the argument list, as in run: [echo, 0.5].',
  ],
  [
    '{run: [cat], sweep: {n: [1]}}',
    '2:29 The axis "n" of "a" changes nothing: no parameter and no expression uses it. Use it in an expression, "${n}", or remove it.',
  ],
  [
    '{uses: number, with: {value: 1}, out: {y: file}}',
    '2:41 The node "a" uses a stage, which takes no "out". "out" belongs to a node that runs a program: {run: [PROGRAM, ARGUMENT], out: …}.',
  ],
] as const)('%s', ([node, told]) => {
  expect(faultsOf(`stages:\n  a:   ${node}`)).toEqual([told]);
});

test('a program may be given axes, params, escaped text and what other nodes give', () => {
  const text = `
params: {base: 2}
stages:
  a: {run: [echo, "\${base * n}", 'a$\${x}', "\${out.t}"], out: {t: file}, sweep: {n: [1, 2]}}
  b: {run: [cat, "\${in.t}"], in: {t: a.t}}`;
  const read = readPipeline({path: 'p.yaml', text}, countingStages);
  if (!read.ok) throw new Error(JSON.stringify(read.error.map(diagnosticJson)));
  expect(read.value.instances.map(({id, params}) => [id, params.run])).toEqual([
    ['a[n=1]', ['echo', '2', 'a${x}', '${out.t}']],
    ['a[n=2]', ['echo', '4', 'a${x}', '${out.t}']],
    ['b[n=1]', ['cat', '${in.t}']],
    ['b[n=2]', ['cat', '${in.t}']],
  ]);
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as a pipeline has it
