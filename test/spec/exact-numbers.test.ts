// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {codesOf, faultsOf, graphOf} from '../rig/read-text.ts';

// What is compared with is the text of the pipeline, read by BigInt, which no double comes near.

const node = (parts: string): string => `stages:\n  n: {uses: number, ${parts}}\n`;
const valuesOf = (parts: string): readonly string[] =>
  graphOf(node(parts)).instances.map(({params}) => BigInt(Number(params.value)).toString());

const WHOLE = ['9007199254740989', '9007199254740990', '9007199254740991', '1234567890123456', '1234567890123457'];

test('whole numbers up to 2^53 - 1 pass through an axis, an expression and a text as they stand', () => {
  const sweep = `sweep: {v: [${WHOLE.join(', ')}]}`;
  expect(valuesOf(`with: {value: "\${v}"}, ${sweep}`)).toEqual(WHOLE);
  expect(valuesOf(`with: {value: "\${v - 1}"}, ${sweep}`)).toEqual(WHOLE.map((text) => String(BigInt(text) - 1n)));
  const texts = graphOf(`stages:\n  n: {run: ["a\${v}"], ${sweep}}\n`).instances;
  expect(texts.map(({params}) => params.run)).toEqual(WHOLE.map((text) => [`a${text}`]));
});

test('an axis that is a whole value passes every digit of a fraction through, alone and inside of a map', () => {
  const values = (value: string, axis: string) =>
    graphOf(node(`with: {value: "${value}"}, sweep: {v: [${axis}]}`)).instances.map(({params}) => params.value);
  const near = [0.12345678901234566, 0.12345678901234568];
  expect(values('${v}', near.join(', '))).toEqual(near);
  expect(values('${v.x}', near.map((x) => `{x: ${x}}`).join(', '))).toEqual(near);
  expect(values('${v + 0.0}', near.join(', '))).toEqual([0.123456789012346, 0.123456789012346]);
});

test('spacings end where they say, and give whole numbers between whole numbers exactly', () => {
  const axis = (values: string): readonly string[] => valuesOf(`sweep: {value: ${values}}`);
  expect(axis('{linspace: [9007199254740981, 9007199254740991, 11]}')).toEqual(
    Array.from({length: 11}, (_, index) => String(9_007_199_254_740_981n + BigInt(index))),
  );
  expect(axis('{linspace: [1, 9007199254740991, 2]}')).toEqual(['1', '9007199254740991']);
  expect(axis('{linspace: [-9007199254740991, 9007199254740991, 3]}')).toEqual([
    '-9007199254740991',
    '0',
    '9007199254740991',
  ]);
  expect(axis('{linspace: [-9007199254740981, 9007199254740989, 11]}')).toEqual(
    Array.from({length: 11}, (_, index) => String(-9_007_199_254_740_981n + 1_801_439_850_948_197n * BigInt(index))),
  );
  expect(axis('{logspace: [1, 9007199254740991, 2]}')).toEqual(['1', '9007199254740991']);
  expect(axis('{range: [9007199254740989, 9007199254740991, 1]}')).toEqual(WHOLE.slice(0, 3));
});

test.each([
  '9007199254740993.0',
  '9.007199254740993e15',
  '0xE000000000000001',
  '0x20000000000001',
  '0o400000000000000001',
  '9007199254740990.99999999999',
  '0.99999999999999999999999',
  '1e-400',
  '18446744073709551617.0',
])('%s is refused where it stands, not rounded to another number', (text) => {
  expect(codesOf(node(`with: {value: ${text}}`))).toEqual(['bad-number']);
  expect(faultsOf(node(`with: {value: ${text}}`))).toContain(`\n${text} would lose digits.\n`);
  expect(codesOf(node(`sweep: {value: [1, ${text}]}`))).toEqual(['bad-number']);
});

test.each([
  ['0x1F', 31],
  ['0xE0', 224],
  ['0x1FFFFFFFFFFFFF', 9007199254740991],
  ['1.0e+16', 1e16],
  ['1e23', 1e23],
  ['1.7e+308', 1.7e308],
  ['340282346638528859811704183484516925440.0', 3.4028234663852886e38],
  ['0.1000000000000000055511151231257827', 0.1],
  ['5e-324', 5e-324],
  ['-0.0', 0],
])('%s is a number', (text, value) => {
  expect(graphOf(node(`with: {value: ${text}}`)).instances[0]?.params.value).toBe(value);
});

test.each([
  ['${v + 1}', 'sweep: {v: [9007199254740991]}', 'bad-expression'],
  ['${v * 2}', 'sweep: {v: [9007199254740991]}', 'bad-expression'],
  ['${9007199254740993}', 'retries: 0', 'bad-expression'],
  ['${9007199254740993.0}', 'retries: 0', 'bad-expression'],
  ['${int("9007199254740993")}', 'retries: 0', 'bad-expression'],
])('what %s gives would lose digits and is refused', (text, sweep, code) => {
  expect(codesOf(node(`with: {value: '${text}'}, ${sweep}`))).toEqual([code]);
});

test('large numbers that lose nothing are computed with', () => {
  const of = (text: string) => graphOf(node(`with: {value: "${text}"}`)).instances[0]?.params.value;
  expect(of('${10000000000.0 * 1000000.0}')).toBe(1e16);
  expect(of('${1e300 / 3.0}')).toBe(3.33333333333333e299);
});

test.each([
  '{logspace: [1.0e-308, 1.0e+308, 3]}',
  '{linspace: [-1.7e+308, 1.7e+308, 5]}',
  '{range: [-1.7e+308, 1.7e+308, 1.0e+307]}',
  '{range: [0, 1.0e+308, 1.0e-300]}',
  '{linspace: [9007199254740991, 1.0e+16, 3]}',
])('the axis %s is refused where it stands', (axis) => {
  const text = node(`sweep: {value: ${axis}}`);
  expect(codesOf(text)).toEqual(['bad-number']);
  expect(faultsOf(text)).toMatch(/^p.yaml:2:\d+ bad-number\n"(linspace|logspace|range)" of the axis "value" comes to/);
});
