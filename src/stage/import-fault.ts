import {readFileSync, statSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type Diagnostic, diagnosticJson, type SourceText, type Span} from '../base/diagnostic.ts';
import {asError} from '../base/thrown.ts';
import {UserError} from '../base/user-error.ts';
import {ImportError, namesUsersFile} from './import-error.ts';

/** Why a user's module cannot be imported. */
export interface ImportFault extends Pick<Diagnostic, 'message' | 'hint' | 'at'> {
  /** Whether it is not there at all. */
  readonly isMissing: boolean;
}

/** What is wrong with a user's module by what importing it threw, with the place in it where that is known. */
export function importFault(thrown: unknown, path: string): ImportFault {
  const error = asError(thrown);
  if (error instanceof ImportError) {
    const source = sourceOf(error.file);
    const {text, start} = error.written;
    const found = Math.max(0, source?.text.indexOf(text, start) ?? 0);
    const at = source && {source, span: {start: found, end: found + text.length}};
    return {isMissing: false, message: error.message, ...(error.hint && {hint: error.hint}), ...(at && {at})};
  }
  if (error instanceof UserError) {
    const at = placeOf(error);
    return {isMissing: false, message: error.message, ...(error.hint && {hint: error.hint}), ...(at && {at})};
  }
  const isMissing = 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  const shown = relative(process.cwd(), path) || path;
  if (isMissing)
    return {
      isMissing,
      message: `There is no file ${shown}.`,
      hint: 'Paths start at the folder of the pipeline file.',
    };
  const message = error.message.split('\n')[0];
  const at = placeOf(error);
  return {
    isMissing: false,
    message: `${shown} cannot be loaded: ${error.name}: ${message}`,
    hint: 'Mend the file, or the import in it.',
    ...(at && {at}),
  };
}

const FRAME = /((?:file:\/\/)?\/[^\n:()]*?)(?:\?[^\n:()]*)?:(\d+)(?::(\d+))?/g;

/** Where a stack says that an error is, in a user's file if it is in one: a syntax error has its place before its name, others in their frames. */
function placeOf({stack = ''}: Error): {source: SourceText; span: Span} | undefined {
  const frames = [...stack.matchAll(FRAME)];
  const theirs = frames.filter(([frame]) => namesUsersFile(frame));
  for (const [, url = '', line = '1', column] of theirs.length > 0 ? theirs : frames) {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    const source = path.includes('node_modules') ? undefined : sourceOf(path);
    if (!source) continue;
    const lines = source.text.split('\n');
    const before = lines.slice(0, Number(line) - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const carets = /^( *)(\^+)/m.exec(stack);
    const shown = lines[Number(line) - 1] ?? '';
    const start = before + (column === undefined ? (carets?.[1]?.length ?? shown.search(/\S/)) : Number(column) - 1);
    return {source, span: {start, end: start + (column === undefined ? (carets?.[2]?.length ?? 1) : 1)}};
  }
  return undefined;
}

export function sourceOf(path: string): SourceText | undefined {
  try {
    if (!statSync(path).isFile()) return undefined;
    return {name: relative(process.cwd(), path), text: readFileSync(path, 'utf8')};
  } catch {
    return undefined;
  }
}

/** The place of a fault as `FILE:LINE:COLUMN: `, to go before its message where only text can be given. */
export function placeBefore({at}: Pick<Diagnostic, 'at'>): string {
  const {file, line, column} = diagnosticJson({code: '', message: '', ...(at && {at})});
  return file === null ? '' : `${file}:${line}:${column}: `;
}

/** Where in a user's module something was thrown while it ran, as such a place; nothing when it was elsewhere. */
export function thrownAt({stack = ''}: Error): string {
  const [, url, line, column] = /(file:\/\/[^\s()?]+)\?basin=\d+:(\d+):(\d+)/.exec(stack) ?? [];
  return url === undefined ? '' : `${relative(process.cwd(), fileURLToPath(url))}:${line}:${column}: `;
}
