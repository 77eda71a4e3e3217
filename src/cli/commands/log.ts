import type {InstanceId} from '../../graph/graph.ts';
import {instanceLog} from '../../results/instance-log.ts';
import {storedLog} from '../../results/stored-log.ts';
import {LOG_OUTPUT} from '../../stage/command-stage.ts';
import {placeOf} from '../../store/pipeline-place.ts';
import type {StoreRecord} from '../../store/record.ts';
import {EXIT} from '../exit-code.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';
import {repeatCommand} from '../repeat-command.ts';

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
        const told = lines.length === 0 ? nothingLeft(id, record, file, options) : `, ${lines.join('\n')}`;
        process.stdout.write(`${options.json ? JSON.stringify({instance: id, lines}) : `${id}${told}`}\n`);
      }
      return EXIT.done;
    },
  );

function nothingLeft(id: InstanceId, record: StoreRecord | undefined, file: string, options: PipelineOptions): string {
  if (!record) return ' has not run in this cache.';
  const again = LOG_OUTPUT in record.outputs ? ['--target', `${id}.${LOG_OUTPUT}`] : ['--force', id];
  return ` is stored, but what it wrote is no longer in the cache.\nTo run it again: ${repeatCommand('run', file, again, options)}`;
}
