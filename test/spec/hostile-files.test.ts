// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import {codesOf, faultsOf, graphOf, idsOf, paramsOf} from '../rig/read-text.ts';

const NODE = 'stages:\n  n: {uses: number, with: {value: 4}}\n';

test('a file over 5 MB is refused without being parsed', () => {
  expect(faultsOf(`${NODE}# ${'x'.repeat(5_100_000)}`)).toBe(
    `too-large: p.yaml is 5.1 MB large.
basin reads files of up to 5.0 MB; big data belongs into files that stages read.`,
  );
});

test('bytes that are not UTF-8 are refused, a byte order mark is not', () => {
  expect(codesOf(new Uint8Array([0x61, 0x3a, 0xff, 0xfe]))).toEqual(['not-utf8']);
  expect(idsOf(graphOf(new TextEncoder().encode(`\uFEFF${NODE}`)))).toEqual(['n']);
  expect(idsOf(graphOf(`\uFEFF${NODE}`))).toEqual(['n']);
});

test.each([
  ['flow lists', '['.repeat(50_000)],
  ['flow maps', '{a: '.repeat(50_000)],
  ['lists on one line', '- '.repeat(50_000)],
  ['nested keys', '? '.repeat(10_000)],
  ['indented maps', Array.from({length: 300}, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
])('nesting of %s is refused without overflowing', (_, text) => {
  expect(codesOf(text)).toEqual(['too-deep']);
});

test('nesting that only aliases make is refused too', () => {
  const levels = Array.from({length: 120}, (_, level) => `p${level}: &a${level} [*a${level - 1}]\n  `);
  expect(codesOf(`params:\n  p: &a-1 [1]\n  ${levels.join('')}\n${NODE}`)).toContain('too-deep');
});

test('an alias is expanded, and one that bombs, loops or dangles is refused', () => {
  expect(
    paramsOf(graphOf('stages:\n  n: {uses: number, with: &w {value: 7}}\n  m: {uses: number, with: *w}\n')),
  ).toEqual({
    n: {value: 7},
    m: {value: 7},
  });
  const bomb = Array.from({length: 30}, (_, level) => `  p${level + 1}: &a${level + 1} [*a${level}, *a${level}]\n`);
  expect(codesOf(`params:\n  p0: &a0 [1, 1]\n${bomb.join('')}${NODE}`)).toContain('alias');
  expect(codesOf(`params: {p: &a [*a]}\n${NODE}`)).toEqual(['alias']);
  expect(codesOf(`params: {p: *gone}\n${NODE}`)).toEqual(['alias']);
});

test('params that double one another are refused', () => {
  const doubling = (form: (name: string) => string): string =>
    Array.from({length: 45}, (_, level) => `  p${level + 1}: ${form(`p${level}`)}\n`).join('');
  expect(codesOf(`params:\n  p0: [1, 1]\n${doubling((name) => `["\${${name}}", "\${${name}}"]`)}${NODE}`)).toEqual([
    'too-large',
  ]);
  expect(codesOf(`params:\n  p0: ab\n${doubling((name) => `"\${${name} + ${name}}"`)}${NODE}`)).toEqual([
    'bad-expression',
  ]);
});

test('params that need each other are named in order', () => {
  expect(faultsOf(`params: {a: "\${b + 1}", b: "\${c}", c: "\${a}"}\n${NODE}`)).toBe(
    `p.yaml:1:39 param-cycle
These params need each other: a → b → c → a.
  params: {a: "\${b + 1}", b: "\${c}", c: "\${a}"}
                                        ^^^^^^
Give one of them a plain value.`,
  );
});

test('merge keys are refused with what to do instead', () => {
  expect(faultsOf('params: &p {value: 4}\nstages:\n  n: {uses: number, with: {<<: *p}}\n')).toContain(
    `p.yaml:3:28 merge-key
Merge keys ("<<") are not read.
    n: {uses: number, with: {<<: *p}}
                             ^^
Write the keys out, or keep the shared map in params.`,
  );
});

test('"__proto__" is refused as a name, and the names of other properties of objects are names like any other', () => {
  expect(codesOf(`params: {__proto__: {polluted: 1}}\n${NODE}`)).toEqual(['hostile-name']);
  expect(codesOf(NODE, {paramsFiles: [{path: 'x.json', text: '{"__proto__": 1}'}]})).toEqual(['hostile-name']);
  const graph = graphOf(`params: {constructor: 3, toString: {valueOf: 2}}
stages:
  hasOwnProperty: {uses: number, with: {value: "\${constructor + toString.valueOf}"}}
  prototype: {uses: number, with: {value: "\${valueOf}"}, sweep: {valueOf: [1]}}
`);
  expect(paramsOf(graph)).toEqual({hasOwnProperty: {value: 5}, 'prototype[valueOf=1]': {value: 1}});
  expect(codesOf('stages:\n  n: {uses: constructor}\n')).toEqual(['unknown-stage']);
  expect(codesOf(`${NODE}  m: {uses: mod, in: {a: n.constructor}, with: {by: 1}}\n`)).toEqual(['unknown-artifact']);
  expect(codesOf(`${NODE}  m: {uses: mod, in: {a: toString.summary}, with: {by: 1}}\n`)).toEqual(['unknown-node']);
  expect(codesOf('stages:\n  n: {uses: number, with: {value: 1, constructor: 2}}\n')).toEqual(['unknown-parameter']);
});

test.each([
  ['9007199254740993', 'bad-number'],
  ['0x20000000000001', 'bad-number'],
  ['.inf', 'bad-number'],
  ['-.INF', 'bad-number'],
  ['.nan', 'bad-number'],
  ['1e999', 'bad-number'],
])('the number %s, which a double cannot hold, is refused', (number, code) => {
  expect(codesOf(`stages:\n  n: {uses: number, with: {value: ${number}}}\n`)).toEqual([code]);
});

test.each([
  ['1e-4', 0.0001],
  ['0x1F', 31],
  ['2.0e-4', 0.0002],
  ['1e300', 1e300],
  ['-0.0', 0],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
])('the number %s is read as it is meant', (number, value) => {
  expect(paramsOf(graphOf(`stages:\n  n: {uses: number, with: {value: ${number}}}\n`))).toEqual({n: {value}});
});

test.each(['%YAML 1.1\n---\n', '--- {}\n---\n'])('YAML beyond one plain document is refused: %j', (start) => {
  expect(codesOf(start + NODE)).toContain('yaml-syntax');
});

test.each([
  'stages:\n  n: {uses: number, with: {value: "\\ud800"}}\n',
  'params: {"a\\udc00": 1}\nstages:\n  n: {uses: number, with: {value: 1}}\n',
  'params: {p: {"a\\udc00": 1}}\nstages:\n  n: {uses: number, with: {value: 1}}\n',
])('half of a character is refused: %j', (text) => {
  expect(codesOf(text)).toEqual(['bad-text']);
});

test('half of a character that an expression makes is refused', () => {
  expect(codesOf(`stages:\n  n: {uses: number, with: {value: "\${'\\\\ud83d'}"}}\n`)).toEqual(['bad-expression']);
});

test.each(['!!set ', 'a: !!binary aGk=\n', 'a: !mine 3\n', '!mine a: 3\n'])('a tag is refused: %j', (start) => {
  expect(codesOf(start + NODE)).toContain('bad-tag');
});

test('no text of the user makes the reader throw', () => {
  const pieces = [
    'a: ',
    '- ',
    '? ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '!t ',
    '|\n',
    '\n',
    '  ',
    '${',
    '}',
    '\t',
    '<<: ',
    'stages:',
    '\u0000',
    '\ud800',
  ];
  let seed = 1;
  const next = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  for (let round = 0; round < 1_000; round++) {
    const text = Array.from({length: (next() % 12) + 1}, () => pieces[next() % pieces.length]).join('');
    expect(codesOf(text).length, JSON.stringify(text)).toBeGreaterThan(0);
  }
});

test('an expression that would not end in time is refused', () => {
  const node = (expression: string): string => `stages:\n  n: {uses: number, with: {value: "\${${expression}}"}}\n`;
  expect(codesOf(node(`'aaaa'.matches('(a+)+$') ? 1 : 2`))).toEqual(['bad-expression']);
  expect(codesOf(node('[1].map(a, [1].map(b, [1].map(c, a + b + c)))[0][0][0]'))).toEqual(['bad-expression']);
  expect(codesOf(node(`${'('.repeat(5_000)}1${')'.repeat(5_000)}`))).toEqual(['bad-expression']);
  expect(codesOf(node(`1${' + 1'.repeat(20_000)}`))).toEqual(['bad-expression']);
});

test('a sweep that would not fit in memory is refused before it is made', () => {
  const axes = ['a', 'b', 'c'].map((axis) => `${axis}: {range: [1, 1000, 1]}`).join(', ');
  expect(codesOf(`stages:\n  n: {uses: number, with: {value: "\${a + b + c}"}, sweep: {${axes}}}\n`)).toEqual([
    'too-large',
  ]);
  expect(codesOf('stages:\n  n: {uses: number, sweep: {value: {linspace: [0, 1, 1000000000]}}}\n')).toEqual([
    'too-large',
  ]);
  expect(codesOf('stages:\n  n: {uses: number, sweep: {value: {range: [0, 1, 1.0e-300]}}}\n')).toEqual(['too-large']);
});
