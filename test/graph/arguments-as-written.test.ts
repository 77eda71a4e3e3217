// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {graphOf} from '../rig/read-text.ts';

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
