import type {Graph} from '../graph/graph.ts';
import {upstreamOf} from './generations.ts';
import type {Plan} from './verdict.ts';

/**
 * How many instances of a plan that compute could run beside each other, at least 1: the most that have equally many such instances above
 * them in a row. What only puts tables together computes nothing worth a share of the machine.
 */
export function widthOf({instances: all}: Graph, {instances: planned}: Plan, wanted: ReadonlySet<number>): number {
  if (planned.every(({verdict}) => verdict === 'cached')) return 1;
  const depths: number[] = [];
  const widths = new Map<number, number>();
  for (const instance of all) {
    const {index, stage} = instance;
    const above = upstreamOf(instance).reduce((deepest, from) => Math.max(deepest, depths[from] ?? 0), 0);
    const verdict = wanted.has(index) ? planned[index]?.verdict : 'cached';
    const computes = (verdict === 'run' || verdict === 'run-unless-cut-off') && isWork(stage);
    depths[index] = above + (computes ? 1 : 0);
    if (computes) widths.set(above, (widths.get(above) ?? 0) + 1);
  }
  return [...widths.values()].reduce((widest, one) => Math.max(widest, one), 1);
}

const isWork = ({computes, origin}: Graph['instances'][number]['stage']): boolean =>
  computes === 'tensors' || origin.from !== 'registry';
