import type {Span} from '../base/diagnostic.ts';

/** What is wrong with an expression; `span` is inside its text. */
export interface ExpressionFault {
  readonly code: 'bad-expression' | 'unknown-param-reference';
  readonly message: string;
  readonly hint?: string;
  readonly span: Span;
}

/** The fault of a whole expression, or of a part of it. */
export function badExpression(
  text: string,
  message: string,
  span: Span = {start: 0, end: text.length},
  hint?: string,
): ExpressionFault {
  return {code: 'bad-expression', message, span, ...(hint !== undefined && {hint})};
}
