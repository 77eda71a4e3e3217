import {basename, dirname, isAbsolute, join, resolve} from 'node:path';
import {nearestName} from '../base/nearest.ts';
import type {Faults} from './faults.ts';
import {openFile} from './open-file.ts';
import type {GivenParam} from './overrides.ts';
import type {UseSpec} from './read-uses.ts';
import type {Resolver} from './resolve.ts';
import type {InputSpec, NodeSpec, Spec} from './spec.ts';
import {pendingIn} from './tree.ts';

const DEEPEST = 20;
/** Files that use others twice, and these again, are exponentially many. */
const MOST_FILES = 200;

/** How a file came to be read. */
export interface Reading {
  /** The files through which it is used, absolute, the first one first. */
  readonly users: readonly string[];
  /** Files read so far, of all that are used. */
  readonly count: {files: number};
}

export interface UsedFile {
  readonly path: string;
  readonly text: Uint8Array;
  readonly given: readonly GivenParam[];
}

/** The file that uses others. */
export interface User {
  readonly path: string;
  readonly reading: Reading;
  /** What the command line says of the params of the file that is used. */
  readonly given: readonly GivenParam[];
  readonly resolver: Resolver;
  readonly own: ReadonlyMap<string, NodeSpec>;
  /** Reads a file that is used, by way of the files that use it. */
  read(file: UsedFile, reading: Reading): Spec | undefined;
}

type UsedNodes = Pick<Spec, 'nodes' | 'unread'>;

/** The nodes of a file that is used, under the names `USE.NODE`. */
export function nodesOfUse(use: UseSpec, user: User, faults: Faults): UsedNodes {
  const {name, at, file} = use;
  const nothing: UsedNodes = {nodes: new Map(), unread: [name]};
  if (user.resolver.has(name) || user.own.has(name)) {
    const what = user.own.has(name) ? 'node' : 'param';
    faults.add('bad-name', at, `"${name}" is the name of a ${what} already.`, `Write use: {OTHER: ${file.name}}.`);
    return nothing;
  }
  const path = isAbsolute(file.name) ? file.name : join(dirname(user.path), file.name);
  const {users, count} = user.reading;
  const chain = [...users, resolve(user.path)];
  if (chain.includes(resolve(path)) || chain.length > DEEPEST) {
    const message = chain.includes(resolve(path))
      ? resolve(path) === resolve(user.path)
        ? `${path} uses itself.`
        : `${path} uses itself, by way of ${user.path}.`
      : `Files use files more than ${DEEPEST} deep.`;
    faults.add('use-cycle', file.at, message, 'Move what both need into a file of its own.');
    return nothing;
  }
  count.files += 1;
  if (count.files > MOST_FILES) {
    const message = `More than ${MOST_FILES} files are used.`;
    faults.add('too-large', file.at, message, 'Use a file once, and take from it in several places.', '');
    return nothing;
  }
  const opened = openFile(path);
  if (!opened.ok) {
    const near = nearestName(basename(file.name), opened.error.beside);
    const hint =
      near === undefined
        ? 'The path starts at the folder of this file.'
        : `Did you mean "./${join(dirname(file.name), near)}"?`;
    faults.add('unknown-file', file.at, `${path} cannot be used: ${opened.error.reason}.`, hint);
    return nothing;
  }
  const given = [...givenBy(use, user.resolver), ...user.given];
  const spec = user.read({path, text: opened.value, given}, {users: chain, count});
  if (!spec || spec.nodes.size === 0) return nothing; // why there are none is told already
  const nodes = new Map<string, NodeSpec>();
  for (const node of spec.nodes.values()) {
    const renamed = `${name}.${node.name}`;
    const inputs = [...node.inputs].map(([key, input]): [string, InputSpec] => [key, prefixed(input, name)]);
    nodes.set(renamed, {...node, name: renamed, inputs: new Map(inputs), used: true});
  }
  return {nodes, unread: spec.unread.map((inner) => `${name}.${inner}`)};
}

const prefixed = (input: InputSpec, use: string): InputSpec => ({
  ...input,
  from: input.from && {...input.from, node: `${use}.${input.from.node}`},
});

/** What the user's file says of the params, with its own in place. */
function givenBy({params}: UseSpec, resolver: Resolver): readonly GivenParam[] {
  return [...(params?.entries.values() ?? [])].flatMap(({name, keyAt, value}) => {
    const resolved = resolver.resolve(value);
    const pending = resolved ? [...pendingIn(resolved)] : [];
    for (const {template, at} of pending) resolver.reportPending(template, at);
    return resolved && pending.length === 0 ? [{path: [name], value: resolved, at: keyAt, isDotted: false}] : [];
  });
}
