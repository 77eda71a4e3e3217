import {stripTypeScriptTypes} from 'node:module';
import {initSync, parse} from 'es-module-lexer';

/** An import as a module's text has it. */
export interface WrittenImport {
  /** What a person is shown of it, and where that starts. */
  readonly text: string;
  readonly start: number;
  /** Undefined when it is worked out while the module runs. */
  readonly specifier: string | undefined;
  /** Made while the module runs, by `import(…)`, and not before it does. */
  readonly isDynamic: boolean;
}

/** Where in a text an import may be that Node does not make by itself before the text runs; comments and strings may have it too. */
const MAY_BE_LATE = /\bimport\b(?!\s*(?:[{*"'\w$]|$))|["'](?:node:)?module["']/;

export const mayImportLate = (text: string): boolean => MAY_BE_LATE.test(text);

let isReady = false;

/**
 * The imports of a module's text, those of types alone left out.
 *
 * @throws whatever is wrong with the text, which Node will say better.
 */
export function writtenImports(path: string, text: string): readonly WrittenImport[] {
  if (!isReady) initSync();
  isReady = true;
  const code = /\.[cm]?ts$/.test(path) ? withoutTypes(text) : text;
  const [imports] = parse(code);
  return imports.flatMap(({n: specifier, d: bracket, s, e, ss, se}) => {
    if (bracket === -2) return []; // import.meta
    const isDynamic = bracket !== -1;
    const [start, end] = !isDynamic ? [ss, se] : specifier === undefined ? [ss, bracket + 1] : [s, e];
    return [{text: code.slice(start, end), start, specifier, isDynamic}];
  });
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
