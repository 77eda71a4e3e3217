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
  const told = async (ended: Promise<T | 'busy'>, what: string): Promise<T | 'busy'> => {
    const end = await ended;
    if (end === 'busy' && tell) emit({event: 'warning', message: `Another basin ${what}; waiting for it.`});
    return end;
  };
  const compute = () => told(store.tryLeases(keys, work), `computes ${first?.id}`);
  const mutex = first?.mutex;
  if (mutex === undefined) return compute();
  let isFree = false;
  const ended = store.tryLeases([keyOf(`mutex ${mutex}`)], () => {
    isFree = true;
    return compute();
  });
  return (await ended) === 'busy' && !isFree ? told(ended, `has the mutex "${mutex}" of ${first?.id}`) : ended;
}
