// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {codesOf, graphOf} from '../rig/read-text.ts';

// A program is handed what stands in the file: to it "2.10" is no number but the name of a version.

const params = (text: string, overrides = {}) => graphOf(text, overrides).instances.map((one) => one.params);

test('arguments and variables of a program are the text of the file', () => {
  const node = '{run: [p, 2.10, 1e-4, 1.0, 0x1F, 0o17, +1, -0, .5, True, a b, "2.10"], env: {TORCH: 2.10, OFF: False}}';
  expect(params(`stages:\n  n: ${node}\n`)).toEqual([
    {
      run: ['p', '2.10', '1e-4', '1.0', '0x1F', '0o17', '+1', '-0', '.5', 'True', 'a b', '2.10'],
      env: {TORCH: '2.10', OFF: 'False'},
    },
  ]);
});

test('so they are in block lists, behind anchors and tags, and through params used alone, however given', () => {
  const text = [
    'params: {version: 2.10, all: [p, 1.50], data: {lr: 1e-4}, chain: "${version}"}',
    'stages:',
    '  a:',
    '    run:',
    '      - p',
    '      - &lr 1.0e-4',
    '      - *lr',
    '      - !!float 3.0',
    '      - 7.00  # comment',
    '      - "${version}"',
    '      - "${chain}"',
    '      - "${data.lr}"',
    '  b: {run: "${all}", env: {V: "${version}"}}',
    '',
  ].join('\n');
  expect(params(text)).toEqual([
    {run: ['p', '1.0e-4', '1.0e-4', '3.0', '7.00', '2.10', '2.10', '1e-4']},
    {run: ['p', '1.50'], env: {V: '2.10'}},
  ]);
  const [a, b] = params(text, {set: ['version=3.10'], paramsFiles: [{path: 'p.yaml', text: 'all: [q, 0x10]\n'}]});
  expect(a?.run).toContain('3.10');
  expect(b).toEqual({run: ['q', '0x10'], env: {V: '3.10'}});
});

test('what is computed, and what an axis gives, is a value', () => {
  const text = 'params: {v: 2.10}\nstages:\n  n: {run: ["${v + 1}", "v${v}", "${x}"], sweep: {x: [0.50]}}\n';
  expect(params(text)).toEqual([{run: ['3.1', 'v2.1', '0.5']}]);
});

test('a row of include gives arguments as written too', () => {
  const text = 'stages:\n  n: {run: [a, "${x}"], sweep: {axes: {x: [1, 2]}, include: [{x: 2, run: [b, 2.10]}]}}\n';
  expect(params(text)).toEqual([{run: ['a', '1']}, {run: ['b', '2.10']}]);
});

test('stages take numbers as before', () => {
  expect(params('stages:\n  n: {uses: number, with: {value: 0.50}}\n')).toEqual([{value: 0.5}]);
});

test('a row of a sweep gives another command with the places of inputs and outputs, as they are written', () => {
  const text = `stages:
  n: {run: [echo, hi]}
  x:
    run: [sh, -c, cat "$0" >"$1", "\${in.l}", "\${out.f}", "\${k}"]
    in: {l: n.log}
    out: {f: file}
    sweep:
      axes: {k: [1, 2]}
      include: [{k: 2, run: [cp, "\${in.l}", "\${out.f}", 2.10, "k\${k}", "$\${out.f}"], env: {TO: "\${out.f}"}}]
`;
  const [, one, two] = params(text);
  expect(one).toMatchObject({run: ['sh', '-c', 'cat "$0" >"$1"', '${in.l}', '${out.f}', '1']});
  expect(two).toMatchObject({
    run: ['cp', '${in.l}', '${out.f}', '2.10', 'k2', '$\u{e001}{out.f}'], // marked as text that is no reference
    env: {TO: '${out.f}'},
  });
});

test('what a program takes and gives is no axis and in no row, where it would change nothing but keys', () => {
  const node = (out: string, sweep: string): string => `stages:\n  x: {run: [echo, "\${k}"], ${out}sweep: ${sweep}}\n`;
  expect(codesOf(node('', '{k: [1], out: [{f: file}]}'))).toEqual(['unused-axis']);
  expect(codesOf(node('', '{include: [{k: 1, out: {f: file}}, {k: 2}]}'))).toEqual(['unknown-axis']);
  expect(codesOf(node('out: {f: {kind: mask, columns: {a: utf8}}}, ', '{k: [1]}'))).toEqual(['unknown-key']);
});
