import {Composer, type CST, type Document, Lexer, Parser} from 'yaml';
import type {SourceText} from '../base/diagnostic.ts';
import type {Faults} from './faults.ts';
import {LARGEST_FILE, tooLarge} from './file-size.ts';

export const DEEPEST_NESTING = 100;

/** The text of a file: UTF-8, without its byte order mark; undefined, with a fault, when it cannot be one. */
export function decodeText(name: string, content: string | Uint8Array, faults: Faults): SourceText | undefined {
  if (content.length > LARGEST_FILE) {
    const {code, message, hint} = tooLarge(name, content.length);
    faults.add(code, undefined, message, hint);
    return undefined;
  }
  if (typeof content === 'string') return {name, text: content.replace(/^\uFEFF/, '')};
  try {
    return {name, text: new TextDecoder('utf-8', {fatal: true}).decode(content)};
  } catch {
    faults.add('not-utf8', undefined, `${name} is not UTF-8 text.`, 'Save it as UTF-8.');
    return undefined;
  }
}

/**
 * The one YAML document of a text; undefined when there is none that can be used. `offset` blanks out what stands before the
 * YAML in the text, so that positions stay those of the whole text.
 */
export function readYaml(source: SourceText, faults: Faults, offset = 0): Document.Parsed | undefined {
  const text = ' '.repeat(offset) + source.text.slice(offset);
  // The parser keeps its own stack; the composer recurses, so depth is looked at between the two.
  const tokens = tokensOf(text);
  const deep = typeof tokens === 'number' ? tokens : tooDeep(tokens);
  if (typeof tokens === 'number' || deep !== undefined) {
    const start = deep ?? 0;
    const at = {source, span: {start, end: start + 1}};
    faults.add('too-deep', at, `This is nested more than ${DEEPEST_NESTING} levels deep.`, 'Flatten it.');
    return undefined;
  }
  const documents = [...new Composer({uniqueKeys: false, prettyErrors: false}).compose(tokens)];
  const [document, second] = documents;
  if (document === undefined) return undefined;
  for (const {pos, message, code} of document.errors) {
    const at = {source, span: {start: pos[0], end: Math.max(pos[1], pos[0] + 1)}};
    faults.add('yaml-syntax', at, `This is not YAML: ${sentence(message)}`, SYNTAX_HINTS.get(code));
  }
  for (const {pos, message, code} of document.warnings) {
    if (code === 'TAG_RESOLVE_FAILED') continue; // told of the value it stands at, by what reads that
    const at = {source, span: {start: pos[0], end: pos[1]}};
    faults.add('yaml-syntax', at, `This is not plain YAML: ${sentence(message)}`, 'Leave the tag out.');
  }
  if (second !== undefined) {
    const start = second.range[0];
    const at = {source, span: {start, end: start + 1}};
    faults.add('yaml-syntax', at, 'A second YAML document starts here.', 'Keep one document in a file.');
  }
  if (document.directives.yaml.explicit && document.directives.yaml.version !== '1.2') {
    const at = {source, span: {start: 0, end: 1}};
    faults.add('yaml-syntax', at, 'This file asks for an old version of YAML.', 'Remove the line "%YAML …".');
  }
  return document.errors.length > 0 ? undefined : document;
}

/** Open at once in a document of the deepest nesting: itself, a collection a level, and the value that is being read. */
const MOST_OPEN = DEEPEST_NESTING + 3;

/** The tokens of a text; or where it passes the limit, as soon as that is known, for its rest may be millions of brackets. */
function tokensOf(text: string): CST.Token[] | number {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > MOST_OPEN) return parser.stack[DEEPEST_NESTING + 2]?.offset ?? parser.offset;
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

const SYNTAX_HINTS: ReadonlyMap<string, string> = new Map([
  ['TAB_AS_INDENT', 'Indent with spaces.'],
  ['BAD_INDENT', 'Look for a bracket that is not closed, or a line that is not indented like its neighbours.'],
  ['BLOCK_AS_IMPLICIT_KEY', 'Look for a line that is indented too far, or put text with ": " in it into quotes.'],
  ['MULTILINE_IMPLICIT_KEY', 'Look for a line without ":", or one that is indented too far.'],
  ['MISSING_CHAR', 'Look for a quote or a bracket that is not closed.'],
]);

const sentence = (message: string): string => (message.endsWith('.') ? message : `${message}.`);

/** Where nesting passes the limit, found without recursion. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const stack: {token: CST.Token; depth: number}[] = tokens.map((token) => ({token, depth: 0}));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const {token, depth} = next;
    if (depth > DEEPEST_NESTING) return token.offset;
    if (token.type === 'document' && token.value) stack.push({token: token.value, depth});
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if (item.key) stack.push({token: item.key, depth: depth + 1});
      if (item.value) stack.push({token: item.value, depth: depth + 1});
    }
  }
  return undefined;
}
