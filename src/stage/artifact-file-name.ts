import {LONGEST_FILE_NAME} from '../base/longest-file-name.ts';
import type {OutputDeclaration} from './define-stage.ts';

/** The name of an artifact's file, for a program or a person: its own, with what tells its content. */
export function artifactFileName(
  name: string,
  {extension, kind}: Pick<OutputDeclaration, 'extension' | 'kind'>,
): string {
  const ending = extension ?? (kind === 'file' ? undefined : 'arrow');
  return ending === undefined ? name : `${name}.${ending}`;
}

export const OUTPUT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
export const EXTENSION = /^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$/;
export const isTooLongForFile = (name: string): boolean => Buffer.byteLength(name) > LONGEST_FILE_NAME;

/** The name, and the declaration as it is written, of an output of kind `file` whose file has this name; nothing where none can have it. */
export function outputOfFile(file: string): {readonly name: string; readonly written: string} | undefined {
  const [name = '', ...endings] = file.split('.');
  if (!OUTPUT_NAME.test(name) || isTooLongForFile(file)) return undefined;
  if (endings.length === 0) return {name, written: `{${name}: file}`};
  const extension = endings.join('.');
  return EXTENSION.test(extension) ? {name, written: `{${name}: {kind: file, extension: ${extension}}}`} : undefined;
}
