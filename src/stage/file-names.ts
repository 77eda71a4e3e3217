import {isAbsolute, posix} from 'node:path';

/** What is wrong with the name of a declared file, in whole sentences. */
export interface NameFault {
  readonly message: string;
  readonly hint: string;
}

/** The name as the folder of a program has it; that folder itself is `.`. */
export const placeOfName = (name: string): string => posix.normalize(name).replace(/(?<=.)\/$/, '');

/** What is wrong with a name under which a program is to see a file, whatever lies there; `path` is that of the file. */
export function nameFault(name: string, path: string, given: boolean): NameFault | undefined {
  if (name === '') return {message: 'A file needs a name.', hint: `Write ${posix.basename(path)}: ${path}.`};
  if (`${name}${path}`.includes('\0'))
    return {message: 'No file has the character 0 in its name.', hint: 'Remove the character.'};
  const place = placeOfName(name);
  if (place === '..' || place.startsWith('../') || isAbsolute(place))
    return given
      ? {message: `The name ${name} leaves the folder that the program runs in.`, hint: 'Give a relative name.'}
      : {
          message: `The path ${path} lies outside of the pipeline's folder.`,
          hint: `Give it a name: files: {${posix.basename(place).replace(/^(\.\.)?$/, 'NAME')}: ${path}}.`,
        };
  if (/^(in|out)(\/|$)/.test(place))
    return {
      message: `The file ${place} would lie where inputs and outputs do.`,
      hint: 'Give it another name: files: {NAME: PATH}.',
    };
  return undefined;
}

/** What is wrong with each of the names of a map of files, as far as it can be told without looking at those. */
export function namesFaults(files: Readonly<Record<string, string>>): readonly (NameFault & {readonly name: string})[] {
  const taken = new Map<string, string>();
  return Object.entries(files).flatMap(([name, path]) => {
    const fault = nameFault(name, path, true);
    if (fault) return [{name, ...fault}];
    const place = placeOfName(name);
    const other = taken.get(place);
    taken.set(place, name);
    if (other === undefined) return [];
    return [{name, message: `This is the place of ${other} already.`, hint: 'Give it another name.'}];
  });
}
