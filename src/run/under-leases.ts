import {type Key, keyOf} from '../base/digest.ts';
import type {Instance} from '../graph/graph.ts';
import type {RunOptions} from './run-options.ts';

/**
 * Does work for some instances of a node while no other driver on this store computes one of their keys, or anything under their mutex; `busy` when
 * one does, which `tell` says. Nobody waits holding a place or a lease, so that what another driver computes keeps nothing else from running.
 */
export async function underLeases<T>(
  {store, emit}: Pick<RunOptions, 'store' | 'emit'>,
  [first]: readonly Instance[],
  keys: readonly Key[],
  tell: boolean,
  work: () => Promise<T>,
): Promise<T | 'busy'> {
  const busy = (what: string): 'busy' => {
    if (tell) emit({event: 'warning', message: `Another basin ${what}; waiting for it.`});
    return 'busy';
  };
  const compute = async (): Promise<T | 'busy'> => {
    const end = await store.tryLeases(keys, work);
    return end === 'busy' ? busy(`computes ${first?.id}`) : end;
  };
  const mutex = first?.mutex;
  if (mutex === undefined) return compute();
  const under = await store.tryLeases([keyOf(`mutex ${mutex}`)], async () => ({end: await compute()}));
  return under === 'busy' ? busy(`has the mutex "${mutex}" of ${first?.id}`) : under.end;
}
