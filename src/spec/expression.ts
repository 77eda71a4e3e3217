import type {Cell, Columns, ColumnType, Row} from '../artifact/kinds.ts';
import {isJsonObject, type Json} from '../base/json.ts';
import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {StageError} from '../stage/define-stage.ts';
import {type CelType, compile, freeVariables} from './cel.ts';
import {celOfJson, jsonOfCel} from './cel-value.ts';
import {badExpression, type ExpressionFault} from './expression-fault.ts';

/** A parsed expression. */
export interface Expression {
  readonly text: string;
  /** Names that must be given, in order of appearance; those that a macro binds are not among them. */
  readonly variables: readonly string[];
  readonly evaluate: (scope: ReadonlyMap<string, Json>) => Result<Json, ExpressionFault>;
}

const parsed = new Map<string, Result<Expression, ExpressionFault>>();

/** Parses an expression of Common Expression Language; equal texts are parsed once. */
export function parseExpression(text: string): Result<Expression, ExpressionFault> {
  const known = parsed.get(text);
  if (known) return known;
  const fresh = parseFresh(text);
  if (parsed.size > 10_000) parsed.clear();
  parsed.set(text, fresh);
  return fresh;
}

function parseFresh(text: string): Result<Expression, ExpressionFault> {
  if (text.trim() === '')
    return fail({...badExpression(text, 'The expression is empty.'), hint: 'Write a name or a formula.'});
  const found = freeVariables(text);
  if (!found.ok) return found;
  const variables = found.value;
  const compiled = compile(text, new Map(variables.map((name): [string, CelType] => [name, 'dyn'])));
  if (!compiled.ok) return compiled;
  const path = pathOf(text);
  const evaluate = (scope: ReadonlyMap<string, Json>): Result<Json, ExpressionFault> => {
    const named = path && valueAt(scope, path);
    if (named !== undefined) return jsonOfCel(named, text, false);
    const context = new Map<string, unknown>();
    for (const name of variables) {
      const value = scope.get(name);
      if (value === undefined) return fail(unknownVariable(text, name, scope.keys()));
      context.set(name, celOfJson(value));
    }
    const result = compiled.value(Object.fromEntries(context));
    return result.ok ? jsonOfCel(result.value, text) : result;
  };
  return ok({text, variables, evaluate});
}

/** The names of `name` and of `name.part`, which compute nothing, so that the value passes through to its last digit. */
export function pathOf(text: string): readonly string[] | undefined {
  const path = text.trim();
  return /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(path) ? path.split('.') : undefined;
}

/** Undefined where there is none, which the language has words for. */
function valueAt(scope: ReadonlyMap<string, Json>, [name = '', ...steps]: readonly string[]): Json | undefined {
  let value = scope.get(name);
  for (const step of steps) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

/** The fault of a name that is neither a param nor an axis; the hint gives the nearest that is. */
export function unknownVariable(text: string, name: string, names: Iterable<string>): ExpressionFault {
  const namesAndTexts = new RegExp(`"(?:\\\\.|[^"\\\\])*"|'(?:\\\\.|[^'\\\\])*'|(?<![\\w.])${name}\\b`, 'g');
  const start = [...text.matchAll(namesAndTexts)].find(([found]) => found === name)?.index ?? 0;
  return {
    code: 'unknown-param-reference',
    message: `"${name}" is neither a param nor an axis of this node.`,
    hint: suggestion(name, names, 'params and axes'),
    span: {start, end: start + name.length},
  };
}

/** A row in a message. */
export const rowText = (row: Row): string =>
  Object.entries(row)
    .map(([name, cell]) => `${name}=${cell}`)
    .join(' ');

const CEL_TYPES: Readonly<Record<ColumnType, CelType>> = {
  utf8: 'string',
  float64: 'double',
  int32: 'double',
  bool: 'bool',
};

/**
 * A condition over the cells of a row. With `types`, a comparison of a column with what it never holds is found
 * before any row is there; names without a type (axes) are taken as they come.
 *
 * The condition throws a StageError when a row's values do not fit it.
 */
export function compileCondition(
  text: string,
  variableNames: readonly string[],
  types: Columns = {},
): Result<(row: Row) => boolean, ExpressionFault> {
  const found = freeVariables(text);
  if (!found.ok) return found;
  const unknown = found.value.find((name) => !variableNames.includes(name));
  if (unknown !== undefined) {
    const fault = unknownVariable(text, unknown, variableNames);
    return fail({
      ...fault,
      message: `There is no column "${unknown}".`,
      hint: suggestion(unknown, variableNames, 'columns'),
    });
  }
  const typed = (name: string): CelType => (Object.hasOwn(types, name) ? CEL_TYPES[types[name] ?? 'utf8'] : 'dyn');
  const compiled = compile(text, new Map(found.value.map((name): [string, CelType] => [name, typed(name)])), 'bool');
  if (!compiled.ok) return compiled;
  return ok((row) => {
    const cells = new Map<string, Cell>();
    for (const name of found.value) {
      const cell = Object.hasOwn(row, name) ? row[name] : undefined;
      if (cell === undefined)
        throw new StageError(`The condition "${text}" reads the column "${name}", which the row does not have.`);
      cells.set(name, cell);
    }
    const result = compiled.value(Object.fromEntries(cells));
    if (!result.ok)
      throw new StageError(`The condition "${text}" does not fit the row ${rowText(row)}: ${result.error.message}`);
    if (typeof result.value !== 'boolean')
      throw new StageError(`The condition "${text}" gives neither true nor false.`);
    return result.value;
  });
}
