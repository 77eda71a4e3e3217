import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {describeTree, pendingIn, type Tree} from './tree.ts';

/** Whoever needs more has a worker that always dies. */
export const MOST_RETRIES = 10;

/** `retries: N` of a node, from 0 to 10, where a param may stand for the number; 0 when it has a fault. */
export function readRetries(tree: Tree, node: string, resolver: Resolver, faults: Faults): number {
  const resolved = resolver.resolve(tree);
  if (!resolved) return 0;
  if (resolved.kind === 'pending') {
    for (const {template, at} of pendingIn(resolved)) resolver.reportPending(template, at);
    return 0;
  }
  const value = resolved.kind === 'scalar' ? resolved.value : undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_RETRIES) return value;
  faults.add(
    'wrong-type',
    resolved.at,
    `"retries" of "${node}" must be a whole number from 0 to ${MOST_RETRIES}, not ${describeTree(resolved)}.`,
    'It is how often an instance whose worker process died is tried again.',
  );
  return 0;
}
