import {basename, extname} from 'node:path';
import type {Faults} from './faults.ts';
import {asMap, asText, fields} from './shape.ts';
import type {Named} from './spec.ts';
import type {Entry, MapTree, Tree} from './tree.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const HINT = 'Write use: ./base.yaml, or {NAME: ./base.yaml}, or {NAME: {file: ./base.yaml, params: {…}}}.';
const KEYS = ['file', 'params'] as const;

/** Another pipeline file whose nodes this one takes from, as `NAME.NODE`. */
export interface UseSpec extends Named {
  readonly file: Named;
  readonly params: MapTree | undefined;
}

/** `use:` of a pipeline: a file, several in a list, or under names of one's own. */
export function readUses(entry: Entry | undefined, faults: Faults): readonly UseSpec[] {
  if (!entry) return [];
  const {value} = entry;
  const uses =
    value.kind === 'map'
      ? [...value.entries.values()].map((part) => readNamed(part, faults))
      : (value.kind === 'list' ? value.items : [value]).map((item) => readPlain(item, faults));
  const found = new Map<string, UseSpec>();
  for (const use of uses) {
    if (!use) continue;
    if (!NAME.test(use.name))
      faults.add('bad-name', use.at, `"${use.name}" cannot name a pipeline that is used.`, HINT);
    else if (found.has(use.name)) faults.add('bad-name', use.at, `Two files are used as "${use.name}".`, HINT);
    else found.set(use.name, use);
  }
  return [...found.values()];
}

function readPlain(tree: Tree, faults: Faults): UseSpec | undefined {
  const file = asText(tree, '"use"', HINT, faults);
  if (!file) return undefined;
  return {
    name: basename(file.text, extname(file.text)),
    at: file.at,
    file: {name: file.text, at: file.at},
    params: undefined,
  };
}

function readNamed({name, keyAt, value}: Entry, faults: Faults): UseSpec | undefined {
  const parts = value.kind === 'map' ? fields(value, KEYS, `"${name}" under "use"`, faults) : undefined;
  if (parts && !parts.file) {
    faults.add('missing-key', keyAt, `"${name}" under "use" does not say which file it is.`, HINT);
    return undefined;
  }
  const file = asText(parts ? parts.file?.value : value, `"${name}" under "use"`, HINT, faults);
  const params = asMap(parts?.params?.value, `"params" of "${name}"`, 'Write {PARAM: VALUE, …}.', faults);
  return file && {name, at: keyAt, file: {name: file.text, at: file.at}, params};
}
