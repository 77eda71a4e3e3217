import type {Key} from '../base/digest.ts';
import type {Instance} from '../graph/graph.ts';
import type {MutexTurns} from './mutex-turns.ts';
import type {RunOptions} from './run-options.ts';

/**
 * Does work for some instances of a node while no other driver on this store computes one of their keys, or anything under their mutex; `busy` when
 * one does, which `tell` says. Nobody waits holding a place or a lease, so that what another driver computes keeps nothing else from running.
 */
export async function underLeases<T>(
  {store, emit, turns}: Pick<RunOptions, 'store' | 'emit'> & {readonly turns: MutexTurns},
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
  const under = await turns.under(mutex, compute);
  if (under === 'yielded') {
    if (turns.isNews(mutex))
      emit({
        event: 'warning',
        message: `Another basin waits for the mutex "${mutex}" of ${first?.id} too; they take turns.`,
      });
    return 'busy';
  }
  return under === 'busy' ? busy(`has the mutex "${mutex}" of ${first?.id}`) : under.end;
}
