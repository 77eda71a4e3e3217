import {expect, test} from 'vitest';
import type {Json} from '../../src/base/json.ts';
import {compileCondition, parseExpression} from '../../src/spec/expression.ts';
import {StageError} from '../../src/stage/define-stage.ts';

function valueOfExpression(text: string, scope: Readonly<Record<string, Json>> = {}): Json {
  const parsed = parseExpression(text);
  const result = parsed.ok ? parsed.value.evaluate(new Map(Object.entries(scope))) : parsed;
  if (!result.ok) throw new Error(`${result.error.message} [${result.error.span.start}, ${result.error.span.end}]`);
  return result.value;
}

test.each<[string, Record<string, Json>, Json]>([
  ['6500 + 50 * sparsity', {sparsity: 0.5}, 6525],
  ['1 / 4', {}, 0.25],
  ['7 % 4', {}, 3],
  ['10 + replicate', {replicate: 2}, 12],
  ['0.1 + 0.2', {}, 0.3],
  ['1 - keep', {keep: 0.8}, 0.2],
  ['-x', {x: 3}, -3],
  ['0 * -1', {}, 0],
  ['int(2.9) + 1', {}, 3],
  ['int(7.9) % 4', {}, 3],
  ['size(items)', {items: [1, 2]}, 2],
  ['size(items) * 1.5', {items: [1, 2]}, 3],
  ['items[1]', {items: [1, 2]}, 2],
  ['items.map(x, x * 2)', {items: [1, 2]}, [2, 4]],
  ['items.filter(x, x > k)', {items: [1, 2, 3], k: 1}, [2, 3]],
  ['data.name + "!"', {data: {name: 'mnist'}}, 'mnist!'],
  ['string(lr) + "/" + string(n)', {lr: 0.5, n: 3}, '0.5/3'],
  ['{"a": x, "b": [x]}', {x: 1}, {a: 1, b: [1]}],
  ['kind == "slow" ? 1e-4 : 1e-3', {kind: 'slow'}, 0.0001],
  ['x in [1, 2]', {x: 2}, true],
  ['null', {}, null],
])('%s', (text, scope, value) => {
  expect(valueOfExpression(text, scope)).toEqual(value);
});

test('the variables of an expression are its free names, without those a macro binds', () => {
  const parsed = parseExpression('items.filter(x, x > limit).map(y, y + x) + cel.bind(z, 1, [z])');
  expect(parsed.ok && parsed.value.variables).toEqual(['items', 'limit', 'x']);
});

test.each([
  ['1 +', 'The expression ends too early. [3, 4]'],
  ['1 + * 2', 'The expression cannot continue like this. [4, 5]'],
  ['a.b', 'The expression is not right: no such key: b. [2, 3]'],
  ['1 / 0', 'The expression gives Infinity, which is not a finite number. [0, 5]'],
  ['log(2, 3)', 'There is no function "log" that takes these values. [0, 9]'],
  ['', 'The expression is empty. [0, 0]'],
  ['a > 1', 'There is no "map > number": the types do not go together. [0, 5]'],
])('%j is refused with a place', (text, message) => {
  expect(() => valueOfExpression(text, {a: {c: 1}})).toThrow(message);
});

const COLUMNS = {split: 'utf8', error: 'float64', n: 'int32', stable: 'bool'} as const;
const NAMES = [...Object.keys(COLUMNS), 'alpha'];

test('a condition holds rows to its columns and axes', () => {
  const condition = compileCondition("split == 'test' && error < 2 * n && (stable || alpha == 0)", NAMES, COLUMNS);
  if (!condition.ok) throw new Error(condition.error.message);
  const row = {split: 'test', error: 3, n: 2, stable: false, alpha: 0};
  expect(condition.value(row)).toBe(true);
  expect(condition.value({...row, alpha: 0.5})).toBe(false);
  expect(condition.value({...row, error: 4})).toBe(false);
});

test('a condition that cannot fit its columns is refused before there are rows', () => {
  expect(compileCondition('split < 2', NAMES, COLUMNS).ok).toBe(false);
  expect(compileCondition('error + 1', NAMES, COLUMNS).ok).toBe(false);
  expect(compileCondition('eror < 1', NAMES, COLUMNS)).toMatchObject({
    ok: false,
    error: {message: 'There is no column "eror".', hint: 'Did you mean "error"?', span: {start: 0, end: 4}},
  });
});

test("a row that a condition does not fit is the user's to mend", () => {
  const condition = compileCondition('alpha < 1', NAMES, COLUMNS);
  if (!condition.ok) throw new Error(condition.error.message);
  expect(() => condition.value({alpha: 'one'})).toThrow(StageError);
  expect(() => condition.value({})).toThrow(StageError);
});
