// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {expect, test} from 'vitest';
import type {Overrides} from '../../src/spec/overrides.ts';
import {codesOf, graphOf} from '../rig/read-text.ts';

// `null` is a value: it reaches what uses it, and nothing else of the instance is lost with it.

const SAY = "say-${v == null ? 'nothing' : string(v)}";
const commands = (text: string, overrides: Overrides = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(graphOf(text, overrides).instances.map(({id, params}) => [id, params.run]));
const node = (sweep: string): string => `stages:\n  n: {run: [echo, "${SAY}", "v\${v}"], sweep: ${sweep}}\n`;

test.each([
  ['an axis', '{v: [null, 1]}'],
  ['a zip', '{zip: {v: [null, 1]}}'],
  ['rows of points', '{include: [{v: null}, {v: 1}]}'],
  ['a point more', '{axes: {v: [1]}, include: [{v: null}]}'],
])('of %s', (_, sweep) => {
  expect(commands(node(sweep))).toEqual({
    'n[v=null]': ['echo', 'say-nothing', 'vnull'],
    'n[v=1]': ['echo', 'say-1', 'v1'],
  });
});

test('of an axis that comes with an input, and where a row is left out', () => {
  const text = `stages:
  up: {run: [echo, "v\${v}"], sweep: {axes: {v: [1, null, 2]}, exclude: [{v: 2}]}}
  n: {run: [echo, "${SAY}"], in: {a: up.log}}
`;
  expect(commands(text)).toMatchObject({'n[v=1]': ['echo', 'say-1'], 'n[v=null]': ['echo', 'say-nothing']});
});

test('of a param, of a part of one, of one that is made of others, and from the command line', () => {
  const text = `params: {v: 1, m: {k: null}, w: "\${v == null ? 'none' : 'some'}"}
stages:
  n: {run: [echo, "${SAY}", "\${m.k == null}", "m\${m.k}", "\${w}"]}
  x: {run: [echo, "${SAY}-\${x}"], sweep: {x: [1]}}
`;
  expect(commands(text)).toEqual({n: ['echo', 'say-1', 'true', 'mnull', 'some'], 'x[x=1]': ['echo', 'say-1-1']});
  const nothing = {
    n: ['echo', 'say-nothing', 'true', 'mnull', 'none'],
    'x[x=1]': ['echo', 'say-nothing-1'],
  };
  expect(commands(text, {set: ['v=null']})).toEqual(nothing);
  expect(commands(text, {set: ['v=']})).toEqual(nothing);
  expect(commands(text, {paramsFiles: [{path: 'p.yaml', text: 'v: null\n'}]})).toEqual(nothing);
});

test('where a parameter can be no null, it is a fault and no default', () => {
  const uses = (sweep: string, value: string): string =>
    `stages:\n  n: {uses: number, with: {value: ${value}}, sweep: ${sweep}}\n`;
  expect(codesOf(uses('{v: [1, null]}', '"${v}"'))).toEqual(['bad-parameter']);
  expect(codesOf(uses('{v: [1, null]}', '"${v + 1}"'))).toEqual(['bad-expression']);
  expect(codesOf('stages:\n  n: {uses: number, sweep: {value: [1, null]}}\n')).toEqual(['bad-parameter']);
});
