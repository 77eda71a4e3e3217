import {canonicalJson} from '../base/canonical-json.ts';
import type {Json} from '../base/json.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {type Expression, parseExpression} from './expression.ts';
import type {ExpressionFault} from './expression-fault.ts';
import type {Faults} from './faults.ts';
import type {Place} from './tree.ts';
import {placeWithin} from './written-place.ts';

/** An expression and where its text starts inside the text around it. */
export interface Hole {
  readonly expression: Expression;
  readonly offset: number;
}

/** Text with `${…}` in it. When the whole text is one hole it gives that hole's value, else text. */
export interface TextTemplate {
  readonly text: string;
  readonly parts: readonly (string | Hole)[];
}

/** What is wrong with an expression; `span` is inside the text around it. */
export type TemplateFault = ExpressionFault & {readonly text: string};

/** The fault of an expression that starts at `offset` of a text. */
export const faultWithin = (text: string, offset: number, fault: ExpressionFault): TemplateFault => ({
  ...fault,
  text,
  span: {start: offset + fault.span.start, end: offset + fault.span.end},
});

/** The template of a text; undefined when the text holds no `${` at all. `$${` stands for `${` itself. */
export function parseTemplate(text: string): Result<TextTemplate | undefined, TemplateFault> {
  if (!text.includes('${')) return ok(undefined);
  const parts: (string | Hole)[] = [];
  let literal = '';
  let at = 0;
  while (at < text.length) {
    if (text.startsWith('$${', at)) {
      literal += '${';
      at += 3;
    } else if (text.startsWith('${', at)) {
      const end = endOfHole(text, at + 2);
      const inside = text.slice(at + 2, end ?? text.length);
      if (end === undefined) {
        const message = 'This "${" is not closed.';
        const span = {start: 0, end: inside.length};
        const hint = 'Close it with "}", or write "$${" for the two characters themselves.';
        return fail(faultWithin(text, at + 2, {code: 'bad-expression', message, hint, span}));
      }
      const expression = parseExpression(inside);
      if (!expression.ok) return fail(faultWithin(text, at + 2, expression.error));
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push({expression: expression.value, offset: at + 2});
      at = end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  if (literal !== '') parts.push(literal);
  return ok({text, parts});
}

/** Where the `}` of a hole stands: braces may nest, and quotes hide them. */
function endOfHole(text: string, from: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (quote !== undefined) {
      if (character === '\\') at += 1;
      else if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') depth += 1;
    else if (character === '}') {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return undefined;
}

/** The one hole of a template that is nothing else. */
export function wholeHole(template: TextTemplate): Hole | undefined {
  const [only, second] = template.parts;
  return typeof only === 'object' && second === undefined ? only : undefined;
}

export function variablesOf(template: TextTemplate): readonly string[] {
  return template.parts.flatMap((part) => (typeof part === 'string' ? [] : part.expression.variables));
}

/** The value of a template; every variable must be in scope. */
export function evaluateTemplate(
  template: TextTemplate,
  scope: ReadonlyMap<string, Json>,
): Result<Json, TemplateFault> {
  const whole = wholeHole(template);
  let text = '';
  for (const part of template.parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = part.expression.evaluate(scope);
    if (!value.ok) return fail(faultWithin(template.text, part.offset, value.error));
    if (whole) return value;
    text += textOf(value.value);
  }
  return ok(text);
}

export const textOf = (value: Json): string => (typeof value === 'string' ? value : canonicalJson(value));

/** Reports a fault inside an expression, with the caret under the part of it that is wrong. */
export function addTemplateFault(faults: Faults, at: Place, {code, message, hint, text, span}: TemplateFault): void {
  faults.add(code, placeWithin(at, text, span), message, hint, '');
}
