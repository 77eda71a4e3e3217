import type {Json} from '../base/json.ts';
import {isVariableName} from './cel.ts';
import type {Faults} from './faults.ts';
import {commandCell, readCommand} from './read-command.ts';
import {NO_SWEEP, readSweep} from './read-sweep.ts';
import type {Resolver} from './resolve.ts';
import {readMutex, readResources} from './resources.ts';
import {readRetries} from './retries.ts';
import {asList, asMap, asText, fields} from './shape.ts';
import type {ArgumentSpec, InputSpec, Named, NodeSpec, Reference} from './spec.ts';
import {readTimeOut} from './time-out.ts';
import type {Entry, MapTree, Place, Tree} from './tree.ts';

const NODE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;
const NODE_HINT = 'Write {uses: STAGE, in: {…}, with: {…}, sweep: {…}}.';
const INPUT_HINT = 'Write NODE.ARTIFACT, or {from: NODE.ARTIFACT, as: {…}, over: […]}.';
const NODE_KEYS = [
  ...(['uses', 'run', 'in', 'with', 'out', 'files', 'env', 'sweep'] as const),
  ...(['retries', 'timeout', 'resources', 'mutex'] as const),
] as const;
const INPUT_KEYS = ['from', 'as', 'over', 'previous'] as const;
const PREVIOUS_HINT = 'Write the name of an axis: previous: level.';

/** One entry of `stages:`. What has a fault is left undefined, so that later phases do not report it again. */
export function readNode(
  entry: Entry,
  file: {readonly params: ReadonlyMap<string, Json>; readonly folder: string},
  resolver: Resolver,
  faults: Faults,
): NodeSpec {
  const {name, keyAt, value} = entry;
  if (!NODE_NAME.test(name)) {
    const hint = 'Use letters, digits, "_" and "-".';
    faults.add('bad-name', keyAt, `"${name}" cannot be the name of a node.`, hint);
  }
  const map = asMap(value, `The node "${name}"`, NODE_HINT, faults);
  const parts = map ? fields(map, NODE_KEYS, `The node "${name}"`, faults) : {};
  if (map) checkForm(parts, name, keyAt, faults);
  const uses = asText(parts.uses?.value, `"uses" of "${name}"`, 'Give the name of a stage.', faults);
  // A map may be given whole by a param; otherwise its parts are resolved one by one, so that one fault spoils one part.
  const whole = (part: Entry | undefined): Tree | undefined =>
    part?.value.kind === 'scalar' ? resolver.resolve(part.value) : part?.value;
  const given = asMap(whole(parts.with), `"with" of "${name}"`, 'Write {PARAMETER: VALUE, …}.', faults);
  const inputs = asMap(parts.in?.value, `"in" of "${name}"`, 'Write {INPUT: NODE.ARTIFACT, …}.', faults);
  const taken = [...(inputs?.entries.values() ?? [])];
  const names = taken.map((entry) => entry.name);
  const cell = parts.run ? commandCell(parts, name, names, faults) : ({value: written}: Entry): Tree => written;
  const sweep = parts.sweep ? readSweep(parts.sweep.value, name, cell, resolver, faults) : NO_SWEEP;
  const command = parts.run && readCommand(parts, name, taken, resolver, faults);
  return {
    name,
    at: keyAt,
    uses: parts.run ? {name: 'run', at: parts.run.keyAt} : uses && {name: uses.text, at: uses.at},
    withAt: given && parts.with?.keyAt,
    outputs: command?.outputs,
    with:
      command?.arguments ??
      new Map(given && [...given.entries].map(([key, argument]) => [key, readArgument(argument, resolver)])),
    inputs: new Map(inputs && [...inputs.entries].map(([key, input]) => [key, readInput(input, faults)])),
    sweep,
    ...file,
    used: false,
    retries: parts.retries ? readRetries(parts.retries.value, name, resolver, faults) : 0,
    timeOut: parts.timeout && readTimeOut(parts.timeout.value, name, resolver, faults),
    resources: parts.resources ? readResources(parts.resources.value, name, resolver, faults) : new Map(),
    mutex: parts.mutex && readMutex(parts.mutex, name, resolver, faults),
    incomplete: Boolean(
      // a key that is not known may be a misspelt one of these
      (map && map.entries.size > Object.keys(parts).length) ||
        (parts.with && !given) ||
        (parts.in && !inputs) ||
        sweep.incomplete,
    ),
  };
}

const COMMAND_KEYS = ['out', 'files', 'env'] as const;

/** A node uses a stage or runs a program, each with its own keys. */
function checkForm(
  parts: Readonly<Partial<Record<(typeof NODE_KEYS)[number], Entry>>>,
  name: string,
  keyAt: Place,
  faults: Faults,
): void {
  if (!parts.uses && !parts.run) {
    faults.add('missing-key', keyAt, `The node "${name}" does not say which stage it uses.`, NODE_HINT);
    return;
  }
  for (const key of parts.run ? (['uses', 'with'] as const) : COMMAND_KEYS) {
    const part = parts[key];
    if (!part) continue;
    const message = parts.run
      ? `The node "${name}" runs a program, which takes no "${key}".`
      : `The node "${name}" uses a stage, which takes no "${key}".`;
    const hint = parts.run
      ? key === 'uses'
        ? 'Remove "uses", or "run".'
        : 'Write values into the argument list, as in run: [echo, 0.5].'
      : `"${key}" belongs to a node that runs a program: {run: [PROGRAM, ARGUMENT], ${key}: …}.`;
    faults.add('unknown-key', part.keyAt, message, hint);
  }
}

const readArgument = ({name, keyAt, value}: Entry, resolver: Resolver): ArgumentSpec => ({
  name,
  keyAt,
  value: resolver.resolve(value),
  written: value,
});

function readInput({name, keyAt, value}: Entry, faults: Faults): InputSpec {
  const plain: InputSpec = {name, keyAt, from: undefined, as: [], over: undefined, previous: undefined};
  if (value.kind !== 'map') return {...plain, from: readReference(value, `The input "${name}"`, INPUT_HINT, faults)};
  const parts = fields(value, INPUT_KEYS, `The input "${name}"`, faults);
  if (!parts.from) {
    faults.add('missing-key', keyAt, `The input "${name}" does not say where it comes from.`, INPUT_HINT);
  }
  const as = asMap(parts.as?.value, `"as" of the input "${name}"`, 'Write {AXIS: NEW_NAME}.', faults);
  const previous = asText(parts.previous?.value, `"previous" of the input "${name}"`, PREVIOUS_HINT, faults);
  const known = parts.previous === undefined || previous !== undefined;
  const from = parts.from && readReference(parts.from.value, `"from" of the input "${name}"`, INPUT_HINT, faults);
  return {
    ...plain,
    from: known ? from : undefined,
    as: as ? readRenames(as, faults) : [],
    over: parts.over && readOver(parts.over.value, name, faults),
    previous: previous && {name: previous.text, at: previous.at},
  };
}

function readRenames(as: MapTree, faults: Faults): InputSpec['as'] {
  const taken = new Set<string>();
  const renames: {axis: Named; name: string; at: Place}[] = [];
  for (const {name, keyAt, value} of as.entries.values()) {
    const to = asText(value, `The new name of "${name}"`, 'Give the name of an axis.', faults);
    if (!to) continue;
    if (!isVariableName(to.text) || taken.has(to.text)) {
      const message = taken.has(to.text)
        ? `Two axes get the name "${to.text}".`
        : `"${to.text}" cannot be the name of an axis.`;
      faults.add('bad-name', to.at, message, 'Choose another name.');
      continue;
    }
    taken.add(to.text);
    renames.push({axis: {name, at: keyAt}, name: to.text, at: to.at});
  }
  return renames;
}

function readOver(tree: Tree, input: string, faults: Faults): readonly Named[] | undefined {
  const list = asList(tree, `"over" of the input "${input}"`, 'Write a list of axes: over: [alpha].', faults);
  if (!list) return undefined;
  const names: Named[] = [];
  for (const item of list.items) {
    const axis = asText(item, 'The name of an axis', 'Write a list of axes: over: [alpha].', faults);
    if (axis && names.some(({name}) => name === axis.text)) {
      faults.add('duplicate-value', axis.at, `The axis "${axis.text}" is listed twice.`, 'Remove one.');
    } else if (axis) names.push({name: axis.text, at: axis.at});
  }
  return names;
}

/** `NODE.ARTIFACT`; the name of a node holds dots where it comes from a file that is used. */
export function readReference(tree: Tree, what: string, hint: string, faults: Faults): Reference | undefined {
  const given = asText(tree, what, hint, faults);
  if (!given) return undefined;
  const names = given.text.split('.');
  const [node, artifact] = [names.slice(0, -1).join('.'), names.at(-1) ?? ''];
  if (names.length < 2 || names.includes('')) {
    faults.add('wrong-type', given.at, `${what} cannot be "${given.text}".`, hint);
    return undefined;
  }
  return {node, artifact, at: given.at};
}
