import {stripVTControlCharacters} from 'node:util';
import {fittingStart, hasUnseen, textWidth, visible} from '../base/terminal-text.ts';

/** `950 ms`, `12.3 s`, `4 min 05 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/**
 * A text of a program or a stage without what a terminal would obey: colours and the like are left out, of a line that was written over
 * its last form stays, and any other control character is shown as `\x07`.
 */
export const harmless = (text: string): string =>
  hasUnseen(text) ? visible(stripVTControlCharacters(text).split('\n').map(lastForm).join('\n')) : text;

/** Of a line, what was written behind its last return. */
function lastForm(line: string): string {
  let end = line.length;
  while (line[end - 1] === '\r') end--;
  return line.slice(line.lastIndexOf('\r', end - 1) + 1, end);
}

/** A text cut to a width of columns, its end shown as `…`; for text without escapes. */
export function clip(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return textWidth(plain) <= columns ? plain : `${fittingStart(plain, columns - 1)}…`;
}

/** A bar of `columns` cells, `fraction` of it full. */
export function bar(fraction: number, columns: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * columns);
  return '█'.repeat(full) + '░'.repeat(columns - full);
}

/** Prose in lines of at most `columns`, broken between words, each line with the indent; a longer word stays whole. */
export function wrapWords(text: string, columns: number, indent = ''): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length > indent.length && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line];
}
