/**
 * Whether brackets in a text are open more than `limit` deep at once, those in strings aside. Looked at before JSON.parse, which
 * would make millions of nested values out of a few megabytes; one pass without recursion over any text, JSON or not.
 */
export function isNestedDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}
