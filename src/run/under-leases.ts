import {type Key, keyOf} from '../base/digest.ts';
import type {Instance} from '../graph/graph.ts';
import type {RunOptions} from './run-options.ts';

/**
 * Does work for some instances of a node while no other driver on this store computes one of their keys, or anything under their mutex. The mutex
 * comes first everywhere, so that whoever has a key waits for nothing but keys, and those have one order.
 */
export function underLeases<T>(
  {store, stop, emit}: Pick<RunOptions, 'store' | 'stop' | 'emit'>,
  [first]: readonly Instance[],
  keys: readonly Key[],
  work: () => Promise<T>,
): Promise<T> {
  const waitingFor = (what: string) => ({
    signal: stop,
    waiting: () => emit({event: 'warning', message: `Another basin ${what}; waiting for it.`}),
  });
  const compute = () => store.withLeases(keys, work, waitingFor(`computes ${first?.id}`));
  const mutex = first?.mutex;
  if (mutex === undefined) return compute();
  return store.withLeases([keyOf(`mutex ${mutex}`)], compute, waitingFor(`has the mutex "${mutex}" of ${first?.id}`));
}
