import {stripTypeScriptTypes} from 'node:module';
import {initSync, parse} from 'es-module-lexer';

/** An import as a module's text has it. */
export interface WrittenImport {
  /** What a person is shown of it, and where that starts. */
  readonly text: string;
  readonly start: number;
  /** Undefined when it is worked out while the module runs. */
  readonly specifier: string | undefined;
  /** Before the module runs, while it does by `import(…)` or `import.meta.resolve(…)`, or no import but `new URL(…, import.meta.url)`. */
  readonly how: 'first' | 'late' | 'url';
}

const BEFORE_URL = /\bnew\s+URL\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)"|`([^`\\$]+)`)\s*,\s*$/;
const AFTER_URL = /^\.url\s*,?\s*\)/;
const RESOLVE = /^\.resolve\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)"|`([^`\\$]+)`)\s*[,)]/;
const LONGEST_PATH = 5000;

/** Where in a text an import may be that Node does not make by itself before the text runs; comments and strings may have it too. */
const MAY_BE_LATE = /\bimport\b(?!\s*(?:[{*"'\w$]|$))|["'](?:node:)?module["']/;

export const mayImportLate = (text: string): boolean => MAY_BE_LATE.test(text);

let isReady = false;

function parsed(path: string, text: string): readonly [code: string, ...ReturnType<typeof parse>] {
  if (!isReady) initSync();
  isReady = true;
  const code = /\.[cm]?ts$/.test(path) ? withoutTypes(text) : text;
  return [code, ...parse(code)];
}

/**
 * The imports of a module's text, those of types alone left out.
 *
 * @throws whatever is wrong with the text, which Node will say better.
 */
export function writtenImports(path: string, text: string): readonly WrittenImport[] {
  const [code, imports] = parsed(path, text);
  return imports.flatMap(({n: specifier, d: bracket, s, e, ss, se}) => {
    if (bracket === -2) return metaUses(code, s, e);
    const how = bracket === -1 ? 'first' : 'late';
    const [start, end] = how === 'first' ? [ss, se] : specifier === undefined ? [ss, bracket + 1] : [s, e];
    return [{text: code.slice(start, end), start, specifier, how}];
  });
}

/** What a text takes by `import.meta` where its name stands there; others are worked out while it runs. */
function metaUses(code: string, start: number, end: number): readonly WrittenImport[] {
  const before = code.slice(Math.max(0, start - LONGEST_PATH), start);
  const after = code.slice(end, end + LONGEST_PATH);
  const url = AFTER_URL.test(after) ? BEFORE_URL.exec(before) : null;
  const found = url ?? RESOLVE.exec(after);
  const specifier = found?.[1] ?? found?.[2] ?? found?.[3];
  if (specifier === undefined) return [];
  const at = url ? code.lastIndexOf(specifier, start) : code.indexOf(specifier, end);
  return [{text: specifier, start: at, specifier, how: url ? 'url' : 'late'}];
}

/** What a CommonJS text requires: undefined where that is worked out while it runs. A module requires nothing by itself. */
export function writtenRequires(path: string, text: string): readonly (string | undefined)[] {
  const [code, , , , isModule] = parsed(path, text);
  if (isModule) return [];
  return [...code.matchAll(/\brequire\b(?:\s*\(\s*(?:'([^'\n]*)'|"([^"\n]*)")\s*\))?/g)].map(
    (found) => found[1] ?? found[2],
  );
}

/** Every character that stays keeps its place. Node's own use of it is no experiment, so that nobody need be warned of ours. */
function withoutTypes(text: string): string {
  const {emitWarning} = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
