/** `import(…)` in a module's text. */
export interface DynamicImport {
  /** `import(` as written, and where it starts. */
  readonly text: string;
  readonly start: number;
  /** Undefined when it is worked out while the module runs. */
  readonly specifier: string | undefined;
}

const COMMENTS_AND_STRINGS = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|(["'`])(?:\\[\s\S]|(?!\1)[^\\])*\1/g;
const IMPORT = /(?<![.\w$])import\s*\(/g;
const LITERAL = /^\s*(["'])((?:(?!\1)[^\\\n])*)\1\s*[,)]/;

/** The imports that a module makes while it runs, comments and strings passed over. */
export function dynamicImports(text: string): readonly DynamicImport[] {
  const code = text.replace(COMMENTS_AND_STRINGS, (part) => part.replace(/[^\n]/g, ' '));
  return [...code.matchAll(IMPORT)].map(({0: written, index}) => ({
    text: written,
    start: index,
    specifier: LITERAL.exec(text.slice(index + written.length))?.[2],
  }));
}
