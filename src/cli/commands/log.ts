import {instanceLog} from '../../results/instance-log.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

/** `log FILE INSTANCE`: for the case that the last lines a run shows are not enough. */
export const logCommand = (file: string, name: string, options: PipelineOptions): Promise<number> =>
  withPrepared(file, options, 'look', async ({graph, store}) => {
    const json = options.json ?? false;
    const found = findInstances(graph, name);
    if (!found.ok) {
      printFaults(found.error, json);
      return EXIT.wrong;
    }
    for (const {id} of found.value) {
      const lines = await instanceLog(store.root, id);
      if (json) process.stdout.write(`${JSON.stringify({instance: id, lines})}\n`);
      else
        process.stdout.write(`${id}${lines.length === 0 ? ' has not run in this cache.' : `, ${lines.join('\n')}`}\n`);
    }
    return EXIT.done;
  });
