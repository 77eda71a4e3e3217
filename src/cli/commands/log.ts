import {harmless} from '../../report/format.ts';
import {instanceLog} from '../../results/instance-log.ts';
import {storedLog} from '../../results/stored-log.ts';
import {placeOf} from '../../store/pipeline-place.ts';
import {EXIT} from '../exit-code.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

/** `log FILE INSTANCE`: for the case that the last lines a run shows are not enough. */
export const logCommand = (file: string, name: string, options: PipelineOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => findInstances(graph, name),
    async ({graph, plan, store}, instances) => {
      const pipeline = placeOf(store.root, graph);
      for (const {id, index} of instances) {
        const record = plan.instances[index]?.record;
        const stored = await storedLog(store, record);
        const lines =
          record && stored
            ? [
                'stored with its result:',
                ...stored.map((line) => `  ${line}`),
                `ran after ${record.seconds.toFixed(1)} s`,
              ]
            : await instanceLog(store.root, pipeline, id, record?.key);
        const told = lines.length === 0 ? ' has not run in this cache.' : `, ${lines.map(harmless).join('\n')}`;
        process.stdout.write(`${options.json ? JSON.stringify({instance: id, lines}) : `${id}${told}`}\n`);
      }
      return EXIT.done;
    },
  );
