import {ARTIFACT_KINDS, type ArtifactKind, COLUMN_TYPES, type Columns, isTableKind} from '../artifact/kinds.ts';
import {LONGEST_FILE_NAME} from '../base/longest-file-name.ts';
import {suggestion} from '../base/nearest.ts';
import {artifactFileName, EXTENSION, isTooLongForFile, OUTPUT_NAME} from '../stage/artifact-file-name.ts';
import {REFERENCE_MARK} from '../stage/command-parameters.ts';
import {LOG_OUTPUT} from '../stage/command-stage.ts';
import type {OutputDeclaration, Outputs} from '../stage/define-stage.ts';
import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {asMap, asText, fields} from './shape.ts';
import type {ArgumentSpec} from './spec.ts';
import type {Entry, MapTree, Tree} from './tree.ts';

const OUTPUT_HINT = 'Write out: {NAME: file}, or {NAME: {kind: summary, columns: {loss: float64}}}.';
const OUTPUT_KEYS = ['kind', 'columns', 'extension'] as const;
const WITH_REFERENCES: ReadonlySet<string> = new Set(['run', 'files', 'env']);
/** `${in.NAME}` that is no `$${in.NAME}`. */
const WRITTEN_REFERENCE = /(?<!\$)\$\{\s*(in|out)\.([A-Za-z0-9_-]+)\s*\}/g;

/** The keys of a node that say what it runs. */
export type CommandEntries = Readonly<Partial<Record<'run' | 'files' | 'env' | 'out', Entry>>>;

/** A `run:` node: what it gives, and the rest as parameters. */
export interface CommandSpec {
  readonly outputs: Outputs;
  readonly arguments: ReadonlyMap<string, ArgumentSpec>;
}

/** Reads `run:`, `files:`, `env:` and `out:`; `inputs` are the entries of `in:`. */
export function readCommand(
  parts: CommandEntries,
  node: string,
  inputs: readonly Entry[],
  resolver: Resolver,
  faults: Faults,
): CommandSpec {
  const out = asMap(parts.out?.value, `"out" of "${node}"`, OUTPUT_HINT, faults);
  const read = [...(out?.entries.values() ?? [])].map((entry) => [entry.name, readOutput(entry, faults)] as const);
  const outputs = Object.fromEntries(read);
  for (const input of inputs) checkInputName(input, faults);
  const names = inputs.map(({name}) => name);
  const marked = commandCell(parts, node, names, faults);
  const oneText = parts.run !== undefined && isOneText(parts.run, node, resolver, faults);
  const argument = (entry: Entry): ArgumentSpec => {
    const {name, keyAt} = entry;
    const written = name === 'out' ? declared(entry.value) : marked(entry);
    return {name, keyAt, written, value: name === 'run' && oneText ? undefined : resolver.resolve(written)};
  };
  const given = [parts.run, parts.files, parts.env, parts.out].filter((part) => part !== undefined);
  return {outputs, arguments: new Map(given.map((part) => [part.name, argument(part)]))};
}

/** What a node that runs a program, or a row of its sweep, gives under a name, with its file references marked. */
export function commandCell(
  {out}: CommandEntries,
  node: string,
  inputs: readonly string[],
  faults: Faults,
): (entry: Entry) => Tree {
  const outputs = out?.value.kind === 'map' ? [...out.value.entries.keys()] : [];
  const known = {in: inputs, out: outputs};
  return ({name, value}) => {
    if (!WITH_REFERENCES.has(name)) return value;
    // A program finds its own files by their names.
    return markReferences(value, name === 'files' ? undefined : known, node, faults);
  };
}

/** A command line in one text, as a shell would read it, is the likeliest mistake. */
function isOneText({value}: Entry, node: string, resolver: Resolver, faults: Faults): boolean {
  const resolved = value.kind === 'scalar' ? resolver.resolve(value) : undefined;
  if (resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') return false;
  const words = resolved.value.split(/\s+/).filter((word) => word !== '');
  const hint = `Write run: [${words.join(', ')}]; no shell reads it, so each argument stands by itself.`;
  faults.add('wrong-type', resolved.at, `"run" of "${node}" must be a list, not one text.`, hint);
  return true;
}

/** A program finds each input as a file, or a folder, of that name. */
function checkInputName({name, keyAt}: Entry, faults: Faults): void {
  const isName = name !== '.' && name !== '..' && !/[/\\\p{Cc}]/u.test(name);
  if (isName && !isTooLongForFile(name)) return;
  const message = `${JSON.stringify(name)} cannot be the name of an input, and of its file.`;
  if (isName) faults.add('bad-name', keyAt, tooLong(name, 'an input'), 'Choose a shorter one.');
  else faults.add('bad-name', keyAt, message, 'Choose another name.');
}

const tooLong = (name: string, what: string): string =>
  `"${name.slice(0, 20)}…" is too long for the name of ${what}, and of its file: ${Buffer.byteLength(name)} bytes, and ${LONGEST_FILE_NAME} are allowed.`;

function readOutput({name, keyAt, value}: Entry, faults: Faults): OutputDeclaration {
  if (!OUTPUT_NAME.test(name) || name === LOG_OUTPUT) {
    const why = name === LOG_OUTPUT ? ': every node that runs a program has it, with what the program wrote' : '';
    faults.add('bad-name', keyAt, `"${name}" cannot be the name of an output${why}.`, 'Choose another name.');
  }
  const map = value.kind === 'map' ? value : undefined;
  const parts = map ? fields(map, OUTPUT_KEYS, `The output "${name}"`, faults) : {};
  const kind = readKind(map ? parts.kind?.value : value, name, keyAt, faults);
  const columns = readColumns(parts.columns, name, faults);
  if (parts.columns && !isTableKind(kind)) {
    const message = `The output "${name}" is ${kind}, which has no columns.`;
    faults.add('unknown-key', parts.columns.keyAt, message, 'Remove "columns", or write kind: summary.');
  }
  const extension = asText(parts.extension?.value, `"extension" of "${name}"`, 'Write it as csv or tar.gz.', faults);
  if (extension && !EXTENSION.test(extension.text))
    faults.add(
      'bad-name',
      extension.at,
      `"${extension.text}" is no extension of a file.`,
      'Write it as csv or tar.gz.',
    );
  const fileName = artifactFileName(name, {kind, ...(extension && {extension: extension.text})});
  if (isTooLongForFile(fileName))
    faults.add('bad-name', keyAt, tooLong(fileName, 'an output'), 'Choose a shorter one.');
  if (kind === 'summary' && !columns) {
    const hint = `Write ${name}: {kind: summary, columns: {loss: float64}}.`;
    faults.add('missing-key', keyAt, `The output "${name}" does not say which columns its summary has.`, hint);
  }
  return {
    kind,
    doc: `The output "${name}".`,
    ...(columns && {columns}),
    ...(extension && {extension: extension.text}),
    ...(kind !== 'file' && {as: 'path'}),
  };
}

function readKind(tree: Tree | undefined, name: string, keyAt: Entry['keyAt'], faults: Faults): ArtifactKind {
  if (!tree) {
    faults.add('missing-key', keyAt, `The output "${name}" does not say what kind it is.`, OUTPUT_HINT);
    return 'file';
  }
  const given = asText(tree, `The kind of the output "${name}"`, OUTPUT_HINT, faults);
  const kind = ARTIFACT_KINDS.find((one) => one === given?.text);
  if (given && !kind)
    faults.add(
      'wrong-kind',
      given.at,
      `There is no kind "${given.text}".`,
      suggestion(given.text, ARTIFACT_KINDS, 'kinds'),
    );
  return kind ?? 'file';
}

function readColumns(entry: Entry | undefined, output: string, faults: Faults): Columns | undefined {
  const map = asMap(entry?.value, `"columns" of "${output}"`, 'Write {NAME: float64, …}.', faults);
  if (!map) return undefined;
  const columns: Record<string, Columns[string]> = {};
  for (const {name, value} of map.entries.values()) {
    const given = asText(
      value,
      `The type of the column "${name}"`,
      `The types are: ${COLUMN_TYPES.join(', ')}.`,
      faults,
    );
    const type = COLUMN_TYPES.find((one) => one === given?.text);
    if (type) columns[name] = type;
    else if (given)
      faults.add(
        'wrong-type',
        given.at,
        `There is no type of column "${given.text}".`,
        suggestion(given.text, COLUMN_TYPES, 'types'),
      );
  }
  return columns;
}

/** `{NAME: file}` as `{NAME: {kind: file}}`, so that both are one key. */
function declared(tree: Tree): Tree {
  if (tree.kind !== 'map') return tree;
  const entries = new Map<string, Entry>();
  for (const entry of tree.entries.values()) entries.set(entry.name, {...entry, value: withKind(entry)});
  return {...tree, entries};
}

function withKind({keyAt, value}: Entry): MapTree {
  if (value.kind === 'map') return value;
  return {kind: 'map', entries: new Map([['kind', {name: 'kind', keyAt, value}]]), at: value.at};
}

/**
 * Puts a mark of the same length in the place of the `$` of file references, which no expression is about.
 *
 * @param known Nothing where there can be none.
 */
function markReferences(
  tree: Tree,
  known: Readonly<Record<'in' | 'out', readonly string[]>> | undefined,
  node: string,
  faults: Faults,
): Tree {
  const inside = (one: Tree): Tree => markReferences(one, known, node, faults);
  switch (tree.kind) {
    case 'pending':
      return tree;
    case 'list':
      return {...tree, items: tree.items.map(inside)};
    case 'map': {
      const entries = [...tree.entries].map(([name, entry]) => [name, {...entry, value: inside(entry.value)}] as const);
      return {...tree, entries: new Map(entries)};
    }
    case 'scalar': {
      if (typeof tree.value !== 'string' || tree.computed) return tree;
      const value = tree.value.replace(WRITTEN_REFERENCE, (whole, side: string, name: string) => {
        const names = side === 'in' ? known?.in : known?.out;
        if (!names) {
          const hint = `Inputs and outputs lie in the program's folder already: write ${whole} in "run".`;
          faults.add('unknown-file', tree.at, `"files" of "${node}" cannot name ${whole}.`, hint, name);
        } else if (!names.includes(name)) {
          const [what, hint] = side === 'in' ? ['input', `inputs of "${node}"`] : ['output', `outputs of "${node}"`];
          faults.add(
            'unknown-file',
            tree.at,
            `The node "${node}" has no ${what} "${name}".`,
            suggestion(name, names, hint),
            name,
          );
        }
        return whole.replace('$', REFERENCE_MARK);
      });
      return {...tree, value};
    }
  }
}
