import fc from 'fast-check';

/** One change of a text, in numbers that mean something once the text is there. */
type Change = Readonly<Record<'kind' | 'at' | 'length' | 'to' | 'pick' | 'code', number>>;

const number = fc.nat({max: 0x3fff_ffff});
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.nat({max: 9}),
  at: number,
  length: number,
  to: number,
  pick: number,
  code: number,
});

/** One of some texts after up to so many changes: fewer and earlier ones are smaller, which is what a failure is shrunk to. */
export const changedText = (
  texts: readonly string[],
  others: readonly string[],
  tokens: readonly string[],
  fewest = 1,
): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...texts), fc.array(change, {minLength: fewest, maxLength: 4}))
    .map(([text, changes]) => changes.reduce((before, one) => changed(before, one, others, tokens), text));

/** Numbers, and lists and maps without any inside: what can be exchanged so that what comes of it is often a pipeline still. */
const valuesIn = (text: string): readonly RegExpExecArray[] => [
  ...text.matchAll(/-?\b\d[\w.+-]*|\[[^[\]]*\]|\{[^{}]*\}/g),
];

/** Values exchanged for tokens or others, pieces cut, doubled, swapped, moved in from another text, characters changed, lines moved, tokens put in. */
function changed(
  text: string,
  {kind, at: place, length, to, pick, code}: Change,
  others: readonly string[],
  tokens: readonly string[],
): string {
  const at = place % (text.length + 1);
  const end = Math.min(text.length, at + (length % 2 ** (1 + (length % 8))));
  const piece = text.slice(at, end);
  switch (kind) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + piece.repeat(1 + (pick % 4)) + text.slice(at);
    case 2: {
      const target = to % (text.length + 1);
      return text.slice(0, target) + piece + text.slice(target);
    }
    case 3: {
      const other = others[pick % others.length] ?? '';
      const from = to % (other.length + 1);
      return text.slice(0, at) + other.slice(from, from + (code % 200)) + text.slice(end);
    }
    case 4:
      return text.slice(0, at) + String.fromCharCode(pick % 2 ? code % 128 : code % 65_536) + text.slice(at + 1);
    case 5: {
      const lines = text.split('\n');
      const line = pick % lines.length;
      lines.splice(line, 1, ...(code % 2 ? [] : [lines[to % lines.length] ?? '', lines[line] ?? '']));
      return lines.join('\n');
    }
    case 6:
    case 7:
    case 8: {
      const other = valuesIn(others[code % others.length] ?? '');
      const value = kind === 8 ? other[pick % other.length]?.[0] : tokens[pick % tokens.length];
      const values = valuesIn(text);
      const place = values[to % values.length];
      if (!place || value === undefined) return text;
      return text.slice(0, place.index) + value + text.slice(place.index + place[0].length);
    }
    default:
      return text.slice(0, at) + (tokens[pick % tokens.length] ?? '') + text.slice(code % 2 ? at : end);
  }
}
