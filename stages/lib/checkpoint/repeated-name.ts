/** Index of the quote that closes the string opened at `start`. */
function closingQuote(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

const isName = (text: string, after: number): boolean => {
  let at = after;
  while (' \t\r\n'.includes(text[at] ?? '.')) at += 1;
  return text[at] === ':';
};

/**
 * The first name that stands twice in one object of a JSON text that parses: JSON.parse keeps the last and is silent,
 * but two tensors of one name are a damaged or hostile file. One pass without recursion, whatever the depth.
 */
export function repeatedName(text: string): string | undefined {
  // for each open bracket the names seen so far, or nothing for an array
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = closingQuote(text, at);
        if (isName(text, end + 1)) {
          const name: string = JSON.parse(text.slice(at, end + 1));
          const names = open.at(-1);
          if (names?.has(name)) return name;
          names?.add(name);
        }
        at = end;
      }
    }
  }
  return undefined;
}
