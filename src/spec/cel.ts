import {type ASTNode, TypeError as CelTypeError, Environment, EvaluationError, ParseError} from '@marcbachmann/cel-js';
import {losesDigits} from '../base/numbers.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {badExpression, type ExpressionFault} from './expression-fault.ts';

export type CelType = 'dyn' | 'string' | 'double' | 'bool';

const LIMITS = {maxAstNodes: 2_000, maxDepth: 100};
/** A list walked inside a list inside a list takes longer than anyone waits. */
const DEEPEST_MACROS = 2;
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
  environment.registerFunction('pow(double, double): double', (base: number, power: number) => base ** power);
  environment.registerOperator('int == double', (left: bigint, right: number) => Number(left) === right);
  return environment;
}

export const VARIABLE_HINT =
  'Use letters, digits and "_", and no word of the expression language, such as list, map, type, int or string.';

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

type Evaluator = (context: Record<string, unknown>) => Result<unknown, ExpressionFault>;

export function compile(
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
      const message = `The condition gives ${article(check.type ?? 'nothing')}, not true or false.`;
      return fail(badExpression(text, message, undefined, 'Compare it with something, as in "error < 2".'));
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

function faultOf(error: unknown, text: string): ExpressionFault {
  if (error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError) {
    const start = Math.min(error.range?.start ?? 0, text.length);
    const end = Math.max(start + 1, error.range?.end ?? text.length);
    return badExpression(text, celSentence(error.code, error.summary), {start, end}, HINTS.get(error.code));
  }
  // The library throws plain errors for what its types do not foresee (a call on a number, a reserved name).
  return badExpression(
    text,
    `The expression cannot be computed: ${error instanceof Error ? error.message : String(error)}.`,
  );
}

const GRAMMAR = 'Expressions know + - * / %, comparisons, && || !, a ? b : c, lists, and text in quotes.';
const HINTS: ReadonlyMap<string, string> = new Map([
  ['unexpected_token', GRAMMAR],
  ['unexpected_character', GRAMMAR],
  ['no_such_overload', 'Turn one into the other with string(…) or double(…).'],
  [
    'no_matching_overload',
    'There are those of the language, such as size(list) and double(text), and pow(base, power).',
  ],
]);

function celSentence(code: string, summary: string): string {
  if (code === 'unexpected_token') {
    return summary.endsWith('EOF') ? 'The expression ends too early.' : 'The expression cannot continue like this.';
  }
  const readable = plainTypes(summary).replace(/\.$/, '');
  const [, called] = /^found no matching overload for '(\w+)\(/.exec(readable) ?? [];
  if (called !== undefined) return `There is no function "${called}" that takes these values.`;
  if (code === 'no_such_overload') {
    return `There is no ${readable.replace(/^no such overload: /, '"')}": the types do not go together.`;
  }
  return `The expression is not right: ${readable.charAt(0).toLowerCase()}${readable.slice(1)}.`;
}

/** Types as a person calls them: `dyn<map<string, double>>` is a map, `double` and `int` are numbers. */
function plainTypes(text: string): string {
  let plain = text.replaceAll(/\b(double|int)\b/g, 'number');
  for (let before = ''; plain !== before; ) {
    before = plain;
    plain = plain.replaceAll(/\bdyn<([^<>]*)>/g, '$1').replaceAll(/\b(list|map)<[^<>]*>/g, '$1');
  }
  return plain;
}

/** Makes whole-number literals doubles, and refuses what may not end in a reasonable time. */
function prepare(root: ASTNode, text: string): ExpressionFault | undefined {
  const stack: {node: ASTNode; macros: number}[] = [{node: root, macros: 0}];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const {node, macros} = next;
    if (node.op === 'value' && typeof node.args === 'bigint') {
      const number = Number(node.args);
      if (!Number.isSafeInteger(number))
        return badExpression(text, `${node.args} would lose digits.`, node.range, 'Whole numbers go up to 2^53 - 1.');
      Reflect.set(node, 'args', number);
      continue;
    }
    if (node.op === 'value' && typeof node.args === 'number') {
      const written = text.slice(node.range.start, node.range.end);
      if (losesDigits(written, node.args))
        return badExpression(text, `${written} would lose digits.`, node.range, 'Whole numbers go up to 2^53 - 1.');
      continue;
    }
    const name = node.op === 'rcall' || node.op === 'call' ? node.args[0] : undefined;
    if (name === 'matches')
      return badExpression(
        text,
        '"matches" is left out: a pattern can take for ever. Use startsWith, endsWith or contains.',
        node.range,
      );
    const inner = node.op === 'rcall' && MACROS.has(node.args[0]) ? macros + 1 : macros;
    if (inner > DEEPEST_MACROS)
      return badExpression(text, `Lists are walked inside lists more than ${DEEPEST_MACROS} deep.`, node.range);
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
export function freeVariables(text: string): Result<readonly string[], ExpressionFault> {
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
