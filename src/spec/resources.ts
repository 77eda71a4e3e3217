import {parseBytes} from '../base/byte-size.ts';
import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {asMap} from './shape.ts';
import type {ResourceSpec} from './spec.ts';
import {describeTree, type Entry, pendingIn, type Tree} from './tree.ts';

const HINT = 'Write {gpu: 1, memory: 8GB, threads: 2}, or names that --resources gives.';
const AMOUNTS = {
  gpu: {what: 'a whole number, or a part of one GPU', hint: 'Write gpu: 2, or gpu: 0.5 for half of one.'},
  memory: {what: 'a size', hint: 'Write it as 8GB or 500MB.'},
  threads: {what: 'a whole number of at least 1', hint: 'Write threads: 4.'},
} as const;
const OTHER = {what: 'a number above 0', hint: 'It is how much of it an instance takes while it runs.'};

const isMeasured = (name: string): name is keyof typeof AMOUNTS => Object.hasOwn(AMOUNTS, name);

/** The amount that a text or number stands for, bytes of memory; nothing when it is none of that resource. */
export function amountOf(name: string, written: string | number): number | undefined {
  const amount = name === 'memory' ? parseBytes(String(written)) : Number(written === '' ? Number.NaN : written);
  if (amount === undefined || !Number.isFinite(amount) || amount <= 0) return undefined;
  const whole = name === 'threads' || (name === 'gpu' && amount > 1);
  return whole && !Number.isInteger(amount) ? undefined : amount;
}

/** What an amount of a resource is, and how it is written, for a person who gave something else. */
export const describeAmount = (name: string): {readonly what: string; readonly hint: string} =>
  isMeasured(name) ? AMOUNTS[name] : OTHER;

/** `resources: {NAME: AMOUNT}` of a node, where params may stand for amounts; those with a fault are left out. */
export function readResources(
  tree: Tree,
  node: string,
  resolver: Resolver,
  faults: Faults,
): ReadonlyMap<string, ResourceSpec> {
  const resolved = resolvedNow(tree, resolver);
  const map = resolved && asMap(resolved, `"resources" of "${node}"`, HINT, faults);
  const found = new Map<string, ResourceSpec>();
  for (const {name, keyAt, value} of map?.entries.values() ?? []) {
    const written = value.kind === 'scalar' && typeof value.value !== 'boolean' ? value.value : null;
    const amount = written === null ? undefined : amountOf(name, written);
    if (amount !== undefined) found.set(name, {amount, keyAt, at: value.at});
    else {
      const {what, hint} = describeAmount(name);
      const shown = typeof written === 'string' ? `"${written}"` : describeTree(value);
      faults.add('wrong-type', value.at, `"${name}" in "resources" of "${node}" must be ${what}, not ${shown}.`, hint);
    }
  }
  return found;
}

/** `mutex: NAME` of a node: of all that name it one instance runs at a time. */
export function readMutex({value}: Entry, node: string, resolver: Resolver, faults: Faults): string | undefined {
  const resolved = resolvedNow(value, resolver);
  if (!resolved) return undefined;
  if (resolved.kind === 'scalar' && typeof resolved.value === 'string' && resolved.value !== '') return resolved.value;
  faults.add(
    'wrong-type',
    resolved.at,
    `"mutex" of "${node}" must be a name, not ${resolved.kind === 'scalar' && resolved.value === '' ? 'an empty text' : describeTree(resolved)}.`,
    'Of all instances whose node gives that name, one runs at a time.',
  );
  return undefined;
}

/** With params in place; nothing when it has a fault, and what needs an axis has one. */
function resolvedNow(tree: Tree, resolver: Resolver): Tree | undefined {
  const resolved = resolver.resolve(tree);
  if (!resolved) return undefined;
  let pending = false;
  for (const {template, at} of pendingIn(resolved)) {
    resolver.reportPending(template, at);
    pending = true;
  }
  return pending ? undefined : resolved;
}
