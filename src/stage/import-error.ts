import {UserError} from '../base/user-error.ts';
import type {WrittenImport} from './written-imports.ts';

/** Where a file has an import. */
export type Place = Pick<WrittenImport, 'text' | 'start'>;

/** Where an import of a user's file leads nowhere, or where nobody can say where it leads. */
export class ImportError extends UserError {
  readonly file: string;
  readonly written: Place;
  constructor(message: string, file: string, written: Place, hint: string) {
    super(message, hint);
    this.file = file;
    this.written = written;
  }
}

/** What a user's file must not do to the process that has loaded it; its stack says where. */
export class NotWhileLoading extends UserError {}

/** Tells the modules of one import apart from those of another, so that an edited file is read again. */
export const MARK = 'basin';

/** A message or a stack as a person knows the names of the files. */
export const withoutMarks = (text: string): string => text.replace(/\?basin=\d+/g, '');

/** Whether a stack has a user's file in it. */
export const namesUsersFile = (stack: string | undefined): boolean => /\?basin=\d+:\d/.test(stack ?? '');

export const isRelative = (specifier: string): boolean => /^[./]/.test(specifier);

/** An import that leads nowhere, or, with `why`, to what cannot be imported. */
export function cannotImport(specifier: string, file: string, written: Place, why?: string): ImportError {
  const what = isRelative(specifier) ? 'file' : 'package';
  const lacksEnding = isRelative(specifier) && !/\.[cm]?[jt]s(on)?$/.test(specifier);
  const hint = lacksEnding
    ? `Write the name of the file with its ending: "${specifier}.ts".`
    : isRelative(specifier)
      ? 'Check the name; it starts at the folder of the file that imports it.'
      : 'Check the name, or install the package beside the pipeline.';
  return new ImportError(
    `"${specifier}" cannot be imported: ${withoutMarks(why ?? `there is no such ${what}`)}.`,
    file,
    written,
    hint,
  );
}
