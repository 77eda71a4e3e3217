/**
 * The first name that stands twice in one object of a JSON text that parses: JSON.parse keeps the last and is silent,
 * but two tensors of one name are a damaged or hostile file. Runs over the text once, whatever its depth.
 */
export function repeatedName(text: string): string | undefined {
  // for each open bracket the names seen so far, or nothing for an array
  const open: (Set<string> | undefined)[] = [];
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g; // no alternative inside the loop: long strings need no deep stack
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match;
    if (found === '{') open.push(new Set());
    else if (found === '[') open.push(undefined);
    else if (found === '}' || found === ']') open.pop();
    else {
      const names = open.at(-1);
      if (names === undefined || !/^\s*:/.test(text.slice(token.lastIndex, token.lastIndex + 64))) continue;
      const name: unknown = JSON.parse(found);
      if (typeof name !== 'string') continue;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}
