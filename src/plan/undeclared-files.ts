import {statSync} from 'node:fs';
import {isAbsolute, posix, resolve} from 'node:path';
import type {Diagnostic} from '../base/diagnostic.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {Graph} from '../graph/graph.ts';
import type {PlannedInstance} from './verdict.ts';

/**
 * Arguments of `run:` nodes that name a file that is there and not declared: the program would not find it in its folder, or would read what
 * is in no key. One a node and file.
 */
export function undeclaredFiles(graph: Graph, planned: readonly PlannedInstance[]): readonly Diagnostic[] {
  const places = new Map(graph.nodes.map(({name, at}) => [name, at]));
  const found = new Map<string, Diagnostic>();
  const looked = new Map<string, boolean>();
  for (const {instance, located} of planned) {
    if (instance.stage.origin.from !== 'command' || !located) continue;
    const at = places.get(instance.node);
    for (const path of pathsIn(located)) {
      if (found.has(`${instance.node} ${path}`)) continue;
      const absolute = resolve(instance.folder, path);
      const exists = looked.get(absolute) ?? isFile(absolute);
      looked.set(absolute, exists);
      if (!exists || isDeclared(path, absolute, located.files)) continue;
      found.set(`${instance.node} ${path}`, {
        code: 'undeclared-file',
        ...told(instance.node, path, namesOf(absolute, located.files)[0]),
        ...(at && {at}),
      });
    }
  }
  return [...found.values()];
}

/** What may be a path among the arguments; a program found on the PATH, or by its absolute path, is none. */
function pathsIn({run}: JsonObject): readonly string[] {
  if (!Array.isArray(run)) return [];
  return run.flatMap((argument: Json, index): string[] => {
    if (typeof argument !== 'string' || argument.includes('${')) return [];
    if (index === 0) return argument.includes('/') && !isAbsolute(argument) ? [argument] : [];
    const value = argument.slice(argument.indexOf('=') + 1);
    return [...new Set([argument, value])].filter(
      (path) => path !== '' && !path.startsWith('-') && !path.includes('\0'),
    );
  });
}

/** The file may be declared under another name, by which the program finds it. */
function told(node: string, path: string, declaredAs: string | undefined): Pick<Diagnostic, 'message' | 'hint'> {
  if (declaredAs !== undefined)
    return {
      message: `"${node}" names the file ${path}, which it declares as ${declaredAs}: in its folder there is no other.`,
      hint: `Write ${declaredAs} in its place.`,
    };
  return {
    message: `"${node}" names the file ${path}, which it does not declare: a change of it would not be seen.`,
    hint: hintFor(path),
  };
}

/** Under which names a file is declared. */
const namesOf = (absolute: string, files: Json | undefined): readonly string[] =>
  Object.entries(isJsonObject(files) ? files : {}).flatMap(([name, file]) =>
    isJsonObject(file) && file.path === absolute ? [name] : [],
  );

function isDeclared(path: string, absolute: string, files: Json | undefined): boolean {
  if (!isJsonObject(files)) return false;
  if (Object.hasOwn(files, posix.normalize(path))) return true;
  return isAbsolute(path) && namesOf(absolute, files).length > 0;
}

function hintFor(path: string): string {
  const name = posix.basename(path);
  const inside = !isAbsolute(path) && !posix.normalize(path).startsWith('..');
  return inside ? `Add files: [${path}].` : `Add files: {${name}: ${path}}, and write ${name} in its place.`;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, {throwIfNoEntry: false})?.isFile() ?? false;
  } catch {
    return false;
  }
}
