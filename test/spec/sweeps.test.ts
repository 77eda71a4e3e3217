// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {codesOf, graphOf} from '../rig/read-text.ts';

const valuesOf = (axis: string): readonly unknown[] =>
  graphOf(`stages:\n  n: {uses: number, sweep: {value: ${axis}}}\n`).nodes[0]?.axes[0]?.values ?? [];

test('linspace includes both ends, and its values are the literals a person would write', () => {
  expect(valuesOf('{linspace: [0, 1, 11]}')).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  expect(valuesOf('{linspace: [1, 0, 3]}')).toEqual([1, 0.5, 0]);
  expect(valuesOf('{linspace: [2, 2, 1]}')).toEqual([2]);
});

test('the 11 alphas from 0 to 1 are among the 21, exactly', () => {
  const fine = new Set(valuesOf('{linspace: [0, 1, 21]}'));
  const coarse = valuesOf('{linspace: [0, 1, 11]}');
  expect(coarse.filter((alpha) => fine.has(alpha))).toEqual(coarse);
  expect(fine.size).toBe(21);
});

test('range includes its end when a step meets it', () => {
  expect(valuesOf('{range: [0, 1, 0.1]}')).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  // 0.3 / 0.1 is a hair below 3.
  expect(valuesOf('{range: [0, 0.3, 0.1]}')).toEqual([0, 0.1, 0.2, 0.3]);
  expect(valuesOf('{range: [1, 10, 4]}')).toEqual([1, 5, 9]);
  expect(valuesOf('{range: [3, 1, -1]}')).toEqual([3, 2, 1]);
  expect(valuesOf('{range: [5, 5, 1]}')).toEqual([5]);
});

test('logspace goes by equal ratios between the values given', () => {
  expect(valuesOf('{logspace: [1.0e-4, 1, 5]}')).toEqual([0.0001, 0.001, 0.01, 0.1, 1]);
  expect(codesOf('stages:\n  n: {uses: number, sweep: {value: {logspace: [0, 1, 5]}}}\n')).toEqual(['wrong-type']);
});

test('the numbers of a form may be params', () => {
  const graph = graphOf(
    'params: {count: 3}\nstages:\n  n: {uses: number, sweep: {value: {linspace: [0, 1, "${count}"]}}}\n',
  );
  expect(graph.nodes[0]?.axes).toEqual([{name: 'value', values: [0, 0.5, 1]}]);
});

test('axes multiply, the first varying slowest', () => {
  const graph = graphOf(
    'stages:\n  n: {uses: number, with: {value: "${10 * a + b}"}, sweep: {a: [1, 2], b: [3, 4]}}\n',
  );
  expect(graph.instances.map(({params}) => params.value)).toEqual([13, 14, 23, 24]);
});

test('a sweep may be given whole by a param', () => {
  const graph = graphOf('params: {grid: {value: [1, 2]}}\nstages:\n  n: {uses: number, sweep: "${grid}"}\n');
  expect(graph.instances.map(({id}) => id)).toEqual(['n[value=1]', 'n[value=2]']);
});

test.each([
  ['[]', 'empty-sweep'],
  ['{linspace: [0, 1, 0]}', 'empty-sweep'],
  ['3', 'wrong-type'],
  ['{linspace: [0, 1]}', 'wrong-type'],
  ['{linspace: [0, 1, 2.5]}', 'wrong-type'],
  ['{linspace: [0, 1, 2], range: [0, 1, 1]}', 'wrong-type'],
  ['{linspac: [0, 1, 2]}', 'wrong-type'],
  ['{range: [0, 1, 0]}', 'wrong-type'],
  ['[1, 1.0]', 'duplicate-value'],
  ['["${alpha}"]', 'unknown-param-reference'],
])('the axis %s is refused as %s', (axis, code) => {
  expect(codesOf(`stages:\n  n: {uses: number, sweep: {value: ${axis}}}\n`)).toEqual([code]);
});
