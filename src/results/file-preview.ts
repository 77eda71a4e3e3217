const MOST_LINES = 40;
const MOST_BYTES = 64 * 1024;

/** The first lines of a file when it is text, else how large it is. */
export function filePreview(bytes: Uint8Array): string {
  const head = bytes.subarray(0, MOST_BYTES);
  const isCut = head.byteLength < bytes.byteLength;
  const text = textOf(head, isCut);
  const whole = 'write it to a file with --output PATH';
  if (text === undefined) return `(${bytes.byteLength} bytes that are no text; ${whole})\n`;
  const lines = text.split('\n');
  if (isCut || lines.length > MOST_LINES)
    return `${lines.slice(0, MOST_LINES).join('\n')}\n(the first lines of ${bytes.byteLength} bytes; ${whole})\n`;
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Undefined when it is no UTF-8, or holds control characters that a terminal would obey. */
function textOf(bytes: Uint8Array, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes, {stream: isCut});
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
