import type {Faults} from './faults.ts';
import type {Resolver} from './resolve.ts';
import {describeTree, pendingIn, type Tree} from './tree.ts';

const SECONDS = {s: 1, min: 60, h: 3600, d: 86_400} as const;
/** Node's timers hold no more. */
const LONGEST = 24 * SECONDS.d;
const HINT = 'Write it as 90s, 10min, 2h or 1d.';

/** `timeout: 10min` of a node in seconds, where a param may stand for it; undefined when it has a fault. */
export function readTimeOut(tree: Tree, node: string, resolver: Resolver, faults: Faults): number | undefined {
  const resolved = resolver.resolve(tree);
  if (!resolved) return undefined;
  if (resolved.kind === 'pending') {
    for (const {template, at} of pendingIn(resolved)) resolver.reportPending(template, at);
    return undefined;
  }
  const value = resolved.kind === 'scalar' ? resolved.value : undefined;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)$/.exec(typeof value === 'string' ? value : '') ?? [];
  const known = Object.entries(SECONDS).find(([name]) => name === unit)?.[1];
  const seconds = Number(digits) * (known ?? Number.NaN);
  if (seconds > 0 && seconds <= LONGEST) return seconds;
  const shown = typeof value === 'string' ? `"${value}"` : describeTree(resolved);
  faults.add(
    'wrong-type',
    resolved.at,
    `"timeout" of "${node}" must be a time of at most 24 days, not ${shown}.`,
    HINT,
  );
  return undefined;
}
