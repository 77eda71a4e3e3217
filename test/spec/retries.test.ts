import {expect, test} from 'vitest';
import {faultsOf, graphOf} from '../rig/read-text.ts';

const node = (retries: string, params = ''): string =>
  `${params}stages:\n  n: {uses: number, with: {value: 1}, retries: ${retries}}\n`;
const retriesOf = (text: string) => graphOf(text).instances.map(({retries}) => retries);

test('a node may say from 0 to 10 retries, itself or by a param, and none when it says nothing', () => {
  expect(retriesOf('stages:\n  n: {uses: number, with: {value: 1}}\n')).toEqual([0]);
  expect(retriesOf(node('0'))).toEqual([0]);
  expect(retriesOf(node('10'))).toEqual([10]);
  expect(retriesOf(node(`"\${tries}"`, 'params: {tries: 3}\n'))).toEqual([3]);
});

test.for(['11', '-1', '1.5', '"2"', 'true', '[1]', '{a: 1}', 'null'])(
  'retries: %s is a fault at its value',
  (value) => {
    const told = faultsOf(node(value));
    expect(told).toMatch(/^p\.yaml:2:48 wrong-type\n"retries" of "n" must be a whole number from 0 to 10, not /);
    expect(told).toContain('It is how often an instance whose worker process died is tried again.');
  },
);

test('retries that name no param are a fault, and a misspelt key is corrected', () => {
  expect(faultsOf(node(`"\${alpha}"`))).toContain('p.yaml:2:51 unknown-param-reference');
  expect(faultsOf('stages:\n  n: {uses: number, with: {value: 1}, retires: 2}\n')).toContain('Did you mean "retries"?');
});
