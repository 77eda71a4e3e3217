import {type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode, type Scalar, type YAMLMap} from 'yaml';
import type {SourceText} from '../base/diagnostic.ts';
import {losesDigits} from '../base/numbers.ts';
import type {Faults} from './faults.ts';
import {readPlainYaml} from './plain-yaml.ts';
import {DEEPEST_NESTING, readYaml} from './read-yaml.ts';
import type {Entry, Place, Tree} from './tree.ts';

/** More values than this may not come out of aliases. */
const MOST_ALIASED = 100_000;
/** A name that would reach into JavaScript's own objects. */
const HOSTILE_NAME = '__proto__';
const CORE_TAGS = new Set(
  ['null', 'bool', 'int', 'float', 'str', 'seq', 'map'].map((tag) => `tag:yaml.org,2002:${tag}`),
);

interface Measured {
  readonly tree: Tree;
  /** Values in it, aliases counted as often as they are used. */
  readonly size: number;
  readonly height: number;
}

interface Reading {
  readonly source: SourceText;
  readonly faults: Faults;
  readonly anchors: Map<string, Measured | 'open'>;
  aliased: number;
}

/**
 * A YAML text as a tree with positions; undefined when nothing of it can be used. Aliases are expanded within a bound;
 * merge keys, own tags, duplicate keys, keys that are no text, and numbers that would lose digits are faults.
 */
export function readTree(source: SourceText, faults: Faults, offset = 0): Tree | undefined {
  return (offset === 0 ? readPlainYaml(source) : undefined) ?? readAnyYaml(source, faults, offset);
}

/** As `readTree`, by the YAML package whatever the text. */
export function readAnyYaml(source: SourceText, faults: Faults, offset = 0): Tree | undefined {
  const document: Document.Parsed | undefined = readYaml(source, faults, offset);
  const contents = document?.contents;
  if (!contents) return undefined;
  return convert(contents, {source, faults, anchors: new Map(), aliased: 0}).tree;
}

function placeOf(source: SourceText, node: {readonly range?: readonly number[] | null | undefined}): Place {
  const [start = 0, end = start] = node.range ?? [];
  // The text of an empty value is nothing; a caret needs one character to stand under.
  return {source, span: {start, end: Math.max(end, start + 1)}};
}

function convert(node: ParsedNode, reading: Reading): Measured {
  if (isAlias(node)) return convertAlias(node.source, placeOf(reading.source, node), reading);
  const {anchor} = node;
  if (anchor !== undefined) reading.anchors.set(anchor, 'open');
  const measured = convertValue(node, reading);
  if (anchor !== undefined) reading.anchors.set(anchor, measured);
  return measured;
}

function convertAlias(name: string, at: Place, reading: Reading): Measured {
  const target = reading.anchors.get(name);
  const nothing: Measured = {tree: {kind: 'scalar', value: null, at}, size: 1, height: 0};
  if (target === undefined || target === 'open') {
    const message = target ? `"*${name}" contains itself.` : `"*${name}" refers to no "&${name}" above it.`;
    reading.faults.add('alias', at, message, 'Write the value out.');
    return nothing;
  }
  reading.aliased += target.size;
  if (reading.aliased > MOST_ALIASED) {
    const message = `Aliases in this file expand to more than ${MOST_ALIASED} values.`;
    reading.faults.add('alias', at, message, 'Use params instead of aliases.');
    return nothing;
  }
  return target;
}

function convertValue(node: ParsedNode, reading: Reading): Measured {
  const at = placeOf(reading.source, node);
  if (strangeTag(node, at, reading)) {
    return {tree: {kind: 'scalar', value: null, at}, size: 1, height: 0};
  }
  if (isMap(node)) return convertMap(node, at, reading);
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item, reading));
    return measure({kind: 'list', items: items.map(({tree}) => tree), at}, items, reading);
  }
  return {
    tree: {kind: 'scalar', value: isScalar(node) ? scalarValue(node, at, reading) : null, at},
    size: 1,
    height: 0,
  };
}

function strangeTag({tag}: ParsedNode, at: Place, {faults}: Reading): boolean {
  if (tag === undefined || tag === '!' || CORE_TAGS.has(tag)) return false;
  faults.add('bad-tag', at, `The tag "${tag}" has no meaning here.`, 'Leave the tag out.');
  return true;
}

function measure(tree: Tree, parts: readonly Measured[], reading: Reading): Measured {
  let size = 1;
  let height = 0;
  for (const part of parts) {
    size += part.size;
    height = Math.max(height, part.height + 1);
  }
  if (height <= DEEPEST_NESTING) return {tree, size, height};
  reading.faults.add('too-deep', tree.at, `This is nested more than ${DEEPEST_NESTING} levels deep.`, 'Flatten it.');
  return {tree: {kind: 'scalar', value: null, at: tree.at}, size: 1, height: 0};
}

function convertMap(node: YAMLMap.Parsed, at: Place, reading: Reading): Measured {
  const {faults, source} = reading;
  const entries = new Map<string, Entry>();
  const parts: Measured[] = [];
  for (const {key, value} of node.items) {
    const keyAt = placeOf(source, key);
    const name = keyName(key);
    if (strangeTag(key, keyAt, reading)) continue;
    if (name === undefined) {
      faults.add('bad-key', keyAt, 'A key must be plain text.', 'Put the key into quotes.');
    } else if (!name.isWellFormed()) {
      faults.add('bad-text', keyAt, HALF_CHARACTER, WHOLE_CHARACTER);
    } else if (name === '<<') {
      const hint = 'Write the keys out, or keep the shared map in params.';
      faults.add('merge-key', keyAt, 'Merge keys ("<<") are not read.', hint);
    } else if (name === HOSTILE_NAME) {
      faults.add('hostile-name', keyAt, `"${HOSTILE_NAME}" cannot be a name.`, 'Choose another name.');
    } else if (entries.has(name)) {
      const first = entries.get(name)?.keyAt.span.start ?? 0;
      const line = source.text.slice(0, first).split('\n').length;
      faults.add(
        'duplicate-key',
        keyAt,
        `The key "${name}" is given twice.`,
        `It was first given in line ${line}; remove one.`,
      );
    } else {
      const part: Measured = value
        ? convert(value, reading)
        : {tree: {kind: 'scalar', value: null, at: keyAt}, size: 1, height: 0};
      parts.push(part);
      entries.set(name, {name, keyAt, value: part.tree});
    }
  }
  return measure({kind: 'map', entries, at}, parts, reading);
}

// Only an escape such as "\\ud83d" can write one; no UTF-8 file, no table and no key of the store can hold it.
const HALF_CHARACTER = 'This text holds half of a character (a lone surrogate).';
const WHOLE_CHARACTER = 'Write the character itself, or both of its escapes.';

/** Keys are text as written: `1:` is the name "1", `on:` the name "on". */
function keyName(key: ParsedNode): string | undefined {
  if (!isScalar(key) || key.value === null) return undefined;
  return typeof key.value === 'string' ? key.value : key.source;
}

function scalarValue(node: Scalar, at: Place, {faults}: Reading): null | boolean | number | string {
  const {value} = node;
  switch (typeof value) {
    case 'string':
      if (value.isWellFormed()) return value;
      faults.add('bad-text', at, HALF_CHARACTER, WHOLE_CHARACTER);
      return '';
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) {
        faults.add('bad-number', at, `${node.source ?? value} is not a finite number.`, 'Give a finite number.');
        return 0;
      }
      if (losesDigits(node.source ?? String(value), value)) {
        const hint =
          Math.abs(value) > Number.MAX_SAFE_INTEGER
            ? `Whole numbers go up to ${Number.MAX_SAFE_INTEGER} (2^53 - 1); put the number into quotes if it is a name.`
            : `It would be read as ${value}. Write that, or put it into quotes if it is a name.`;
        faults.add('bad-number', at, `${node.source ?? value} would lose digits.`, hint);
        return 0;
      }
      return value === 0 ? 0 : value; // -0 would be another value than 0 in no place but a comparison
    default:
      return null;
  }
}
