import {textWidth, visible} from './terminal-text.ts';

/** A stretch of a text file; offsets count UTF-16 code units from its start. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text that spans point into. `name` is the path as the user gave it. */
export interface SourceText {
  readonly name: string;
  readonly text: string;
}

/**
 * One fault, written for the person who can mend it: what is wrong, where, and what to do next.
 * `message` and `hint` are sentences; a fault without a place in a file has no `at`.
 */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at?: {readonly source: SourceText; readonly span: Span};
}

/** The flat form of a fault that `--json` prints; the contract is in DESIGN and docs. */
export interface DiagnosticJson {
  readonly code: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly hint: string | null;
}

/** Line and column of an offset, both counted from 1. */
function positionOf(text: string, offset: number): {line: number; column: number} {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return {line, column: offset - (before.lastIndexOf('\n') + 1) + 1};
}

export function diagnosticJson(fault: Diagnostic): DiagnosticJson {
  const place = fault.at && positionOf(fault.at.source.text, fault.at.span.start);
  return {
    code: fault.code,
    message: fault.message,
    file: fault.at?.source.name ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    hint: fault.hint ?? null,
  };
}

const LONGEST_LINE = 160;

/** The fault as a person reads it: `file:line:col`, the source line, a caret line, the hint. */
export function formatDiagnostic(fault: Diagnostic): string {
  const lines: string[] = [];
  if (fault.at) {
    const {source, span} = fault.at;
    const {line, column} = positionOf(source.text, span.start);
    lines.push(`${source.name}:${line}:${column} ${fault.code}`, fault.message);
    const full = (source.text.split('\n')[line - 1] ?? '').replace(/\r$/, '').replaceAll('\t', ' ');
    const from = column > LONGEST_LINE - 40 ? column - 40 : 0;
    const shown = full.slice(from, from + LONGEST_LINE);
    const at = column - 1 - from;
    const width = (start: number, end: number): number => textWidth(visible(shown.slice(start, end)));
    const carets = Math.max(1, width(at, at + span.end - span.start));
    lines.push(`  ${shown}`, `  ${' '.repeat(width(0, at))}${'^'.repeat(carets)}`);
  } else {
    lines.push(`${fault.code}: ${fault.message}`);
  }
  if (fault.hint) lines.push(fault.hint);
  return visible(lines.join('\n'));
}
