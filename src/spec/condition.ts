import type {Span} from '../base/diagnostic.ts';
import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {asText} from './shape.ts';
import type {ConditionSpec} from './spec.ts';
import {addTemplateFault, faultWithin, parseTemplate, type TextTemplate, textOf} from './template.ts';
import type {Entry, Place} from './tree.ts';
import {placeWithin} from './written-place.ts';

/** A condition is an expression already; `${…}` puts the value of a param into its text. */
export function readCondition(
  {name, value}: Entry,
  hint: string,
  resolver: Resolver,
  faults: Faults,
): ConditionSpec | undefined {
  const given = asText(value, `"${name}" of an expectation`, hint, faults);
  const template = given && parseTemplate(given.text);
  if (!given || !template) return undefined;
  const {text: written, at} = given;
  if (!template.ok) {
    addTemplateFault(faults, at, template.error);
    return undefined;
  }
  const whole = {text: written, span: {start: 0, end: written.length}, isValue: false};
  const parts = template.value === undefined ? [whole] : filled(template.value, at, resolver, faults);
  return parts && {text: parts.map(({text}) => text).join(''), at, written, parts};
}

/** Undefined when an expression has a fault. */
function filled(
  template: TextTemplate,
  at: Place,
  resolver: Resolver,
  faults: Faults,
): ConditionSpec['parts'] | undefined {
  const {text: written} = template;
  const scope = resolver.values;
  const parts: ConditionSpec['parts'][number][] = [];
  let from = 0;
  const plainUpTo = (end: number): void => {
    const text = written.slice(from, end).replaceAll(ESCAPED, () => '${');
    if (text !== '') parts.push({text, span: {start: from, end}, isValue: false});
  };
  for (const part of template.parts) {
    if (typeof part === 'string') continue;
    const {expression, offset} = part;
    const start = offset - '${'.length;
    plainUpTo(start);
    const value = expression.evaluate(scope);
    if (!value.ok) {
      // A param that has a fault of its own is not in `values`; its fault is reported where it stands.
      const isKnown = expression.variables.every((variable) => resolver.has(variable));
      if (!isKnown || value.error.code !== 'unknown-param-reference')
        addTemplateFault(faults, at, faultWithin(written, offset, value.error));
      return undefined;
    }
    from = offset + expression.text.length + '}'.length;
    parts.push({text: textOf(value.value), span: {start, end: from}, isValue: true});
  }
  plainUpTo(written.length);
  return parts;
}

const ESCAPED = '$${';

/** Where a part of a condition was written; of what a param put there, its expression. */
export function placeInCondition({at, written, parts}: ConditionSpec, {start, end}: Span): Place {
  const placeOf = (index: number): Span => {
    let from = 0;
    for (const {text, span, isValue} of parts) {
      const within = index - from;
      from += text.length;
      if (within >= text.length) continue;
      if (isValue) return span;
      const escapes = text.slice(0, within + 1).split('${').length - 1;
      return {start: span.start + within + escapes, end: span.start + within + escapes + 1};
    }
    return {start: written.length, end: written.length};
  };
  const span = {start: placeOf(start).start, end: placeOf(Math.max(start, end - 1)).end};
  return placeWithin(at, written, span);
}
