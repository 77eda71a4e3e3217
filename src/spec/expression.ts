import {type ASTNode, TypeError as CelTypeError, Environment, EvaluationError, ParseError} from '@marcbachmann/cel-js';
import type {Cell, Columns, ColumnType, Row} from '../artifact/kinds.ts';
import type {Span} from '../base/diagnostic.ts';
import type {Json} from '../base/json.ts';
import {suggestion} from '../base/nearest.ts';
import {roundComputed} from '../base/numbers.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {StageError} from '../stage/define-stage.ts';

/** What is wrong with an expression; `span` is inside its text. */
export interface ExpressionFault {
  readonly code: 'bad-expression' | 'unknown-param-reference';
  readonly message: string;
  readonly hint?: string;
  readonly span: Span;
}

/** A parsed expression. */
export interface Expression {
  readonly text: string;
  /** Names that must be given, in order of appearance; those that a macro binds are not among them. */
  readonly variables: readonly string[];
  readonly evaluate: (scope: ReadonlyMap<string, Json>) => Result<Json, ExpressionFault>;
}

type CelType = 'dyn' | 'string' | 'double' | 'bool';

const LIMITS = {maxAstNodes: 2_000, maxDepth: 100};
/** A list walked inside a list inside a list takes longer than anyone waits. */
const DEEPEST_MACROS = 2;
const LARGEST_TEXT = 1_000_000;
const MOST_VALUES = 100_000;
const MACROS = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

const ENVIRONMENT = newEnvironment();

/** CEL with every number a double: what counts (`size`, `int`) mixes with them as a person expects. */
function newEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  });
  const numeric: readonly [string, (left: number, right: number) => number][] = [
    ['+', (left, right) => left + right],
    ['-', (left, right) => left - right],
    ['*', (left, right) => left * right],
    ['/', (left, right) => left / right],
    ['%', (left, right) => left % right],
  ];
  for (const [operator, compute] of numeric) {
    const mixed = (left: number | bigint, right: number | bigint): number => compute(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double: double`, mixed);
    environment.registerOperator(`double ${operator} int: double`, mixed);
  }
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right);
  environment.registerOperator('int == double', (left: bigint, right: number) => Number(left) === right);
  return environment;
}

/** Whether a name can be a variable: an identifier that the language does not keep for itself. */
export function isVariableName(name: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || ['true', 'false', 'null', 'in'].includes(name)) return false;
  try {
    ENVIRONMENT.clone().registerVariable(name, 'dyn');
    return true;
  } catch {
    return false;
  }
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
  if (text.trim() === '') return fail({...badAt(text, 'The expression is empty.'), hint: 'Write a name or a formula.'});
  const found = freeVariables(text);
  if (!found.ok) return found;
  const variables = found.value;
  const compiled = compile(text, new Map(variables.map((name): [string, CelType] => [name, 'dyn'])));
  if (!compiled.ok) return compiled;
  const evaluate = (scope: ReadonlyMap<string, Json>): Result<Json, ExpressionFault> => {
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

/** The fault of a name that is neither a param nor an axis; the hint gives the nearest that is. */
export function unknownVariable(text: string, name: string, names: Iterable<string>): ExpressionFault {
  const start = Math.max(0, text.search(new RegExp(`(?<![\\w.])${name}\\b`)));
  return {
    code: 'unknown-param-reference',
    message: `"${name}" is neither a param nor an axis of this node.`,
    hint: suggestion(name, names, 'params and axes'),
    span: {start, end: start + name.length},
  };
}

type Evaluator = (context: Record<string, unknown>) => Result<unknown, ExpressionFault>;

function compile(
  text: string,
  variables: ReadonlyMap<string, CelType>,
  wanted?: 'bool',
): Result<Evaluator, ExpressionFault> {
  try {
    const environment = ENVIRONMENT.clone();
    for (const [name, type] of variables) environment.registerVariable(name, type);
    const expression = environment.parse(text);
    const refused = prepare(expression.ast, text);
    if (refused) return fail(refused);
    const check = expression.check();
    if (!check.valid) return fail(faultOf(check.error, text));
    if (wanted !== undefined && check.type !== wanted && check.type !== 'dyn') {
      return fail(badAt(text, `The condition gives ${article(check.type ?? 'nothing')}, not true or false.`));
    }
    return ok((context) => {
      try {
        return ok(expression(context));
      } catch (error) {
        return fail(faultOf(error, text));
      }
    });
  } catch (error) {
    return fail(faultOf(error, text));
  }
}

const article = (type: string): string => (type === 'double' || type === 'int' ? 'a number' : `a ${type}`);

function badAt(text: string, message: string, span: Span = {start: 0, end: text.length}): ExpressionFault {
  return {code: 'bad-expression', message, span};
}

function faultOf(error: unknown, text: string): ExpressionFault {
  if (error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError) {
    const start = Math.min(error.range?.start ?? 0, text.length);
    const end = Math.max(start + 1, error.range?.end ?? text.length);
    return badAt(text, celSentence(error.code, error.summary), {start, end});
  }
  // The library throws plain errors for what its types do not foresee (a call on a number, a reserved name).
  return badAt(text, `The expression cannot be computed: ${error instanceof Error ? error.message : String(error)}.`);
}

function celSentence(code: string, summary: string): string {
  const readable = summary
    .replaceAll(/dyn<(\w+)>/g, '$1')
    .replaceAll('double', 'number')
    .replaceAll('int', 'number');
  if (code === 'unexpected_token') {
    return summary.endsWith('EOF') ? 'The expression ends too early.' : 'The expression cannot continue like this.';
  }
  if (code === 'no_such_overload') {
    return `There is no ${readable.replace(/^no such overload: /, '"')}": the types do not go together.`;
  }
  return `The expression is not right: ${readable.charAt(0).toLowerCase()}${readable.slice(1)}.`;
}

/** Makes whole-number literals doubles, and refuses what may not end in a reasonable time. */
function prepare(root: ASTNode, text: string): ExpressionFault | undefined {
  const stack: {node: ASTNode; macros: number}[] = [{node: root, macros: 0}];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const {node, macros} = next;
    if (node.op === 'value' && typeof node.args === 'bigint') {
      Reflect.set(node, 'args', Number(node.args));
      continue;
    }
    const name = node.op === 'rcall' || node.op === 'call' ? node.args[0] : undefined;
    if (name === 'matches')
      return badAt(
        text,
        '"matches" is left out: a pattern can take for ever. Use startsWith, endsWith or contains.',
        node.range,
      );
    const inner = node.op === 'rcall' && MACROS.has(node.args[0]) ? macros + 1 : macros;
    if (inner > DEEPEST_MACROS)
      return badAt(text, `Lists are walked inside lists more than ${DEEPEST_MACROS} deep.`, node.range);
    for (const child of children(node)) stack.push({node: child, macros: inner});
  }
  return undefined;
}

function children(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/** Names read by an expression, without those bound by `map`, `filter`, `all`, `exists`, `exists_one` and `cel.bind`. */
function freeVariables(text: string): Result<readonly string[], ExpressionFault> {
  let root: ASTNode;
  try {
    root = ENVIRONMENT.parse(text).ast;
  } catch (error) {
    return fail(faultOf(error, text));
  }
  const names = new Set<string>();
  const walk = (node: ASTNode, bound: ReadonlySet<string>): void => {
    if (node.op === 'id') {
      if (!bound.has(node.args) && !ENVIRONMENT.hasVariable(node.args)) names.add(node.args);
      return;
    }
    const [first, ...rest] =
      node.op === 'rcall' && (MACROS.has(node.args[0]) || node.args[0] === 'bind') ? node.args[2] : [];
    if (node.op === 'rcall' && first?.op === 'id') {
      walk(node.args[1], bound);
      for (const child of rest) walk(child, new Set([...bound, first.args]));
      return;
    }
    for (const child of children(node)) walk(child, bound);
  };
  walk(root, new Set());
  return ok([...names]);
}

/** Maps, so that no name of the user's meets a property of JavaScript's objects. */
function celOfJson(value: Json): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(celOfJson);
  return new Map(Object.entries(value).map(([name, item]): [string, unknown] => [name, celOfJson(item)]));
}

function jsonOfCel(result: unknown, text: string): Result<Json, ExpressionFault> {
  let left = MOST_VALUES;
  let problem: string | undefined;
  const convert = (value: unknown): Json => {
    left -= 1;
    if (left < 0) problem = 'The expression gives too many values.';
    if (problem !== undefined || value === null || typeof value === 'boolean')
      return typeof value === 'boolean' ? value : null;
    if (typeof value === 'string') {
      if (value.length > LARGEST_TEXT) problem = 'The expression gives too long a text.';
      return value;
    }
    if (typeof value === 'number' || typeof value === 'bigint') {
      const number = Number(value);
      if (!Number.isFinite(number)) problem = `The expression gives ${number}, which is not a finite number.`;
      return roundComputed(number);
    }
    if (Array.isArray(value)) return value.map(convert);
    const entries = value instanceof Map ? [...value] : isPlain(value) ? Object.entries(value) : undefined;
    if (entries === undefined) {
      problem = 'The expression gives what no parameter can hold.';
      return null;
    }
    if (entries.some(([name]) => typeof name !== 'string' || name === '__proto__')) {
      problem = 'The expression gives a map with a key that is not a usable name.';
      return null;
    }
    return Object.fromEntries(entries.map(([name, item]): [string, Json] => [String(name), convert(item)]));
  };
  const json = convert(result);
  return problem === undefined ? ok(json) : fail(badAt(text, problem));
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && [null, Object.prototype].includes(Object.getPrototypeOf(value));

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
    if (!result.ok) throw new StageError(`The condition "${text}" does not fit the row: ${result.error.message}`);
    if (typeof result.value !== 'boolean')
      throw new StageError(`The condition "${text}" gives neither true nor false.`);
    return result.value;
  });
}
