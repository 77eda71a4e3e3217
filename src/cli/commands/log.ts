import {instanceLog} from '../../results/instance-log.ts';
import {LOG_OUTPUT} from '../../stage/command-stage.ts';
import {placeOf} from '../../store/pipeline-place.ts';
import type {StoreRecord} from '../../store/record.ts';
import type {Store} from '../../store/store.ts';
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
        const lines = (await storedLog(store, record)) ?? (await instanceLog(store.root, pipeline, id, record?.key));
        const told = lines.length === 0 ? ' has not run in this cache.' : `, ${lines.join('\n')}`;
        process.stdout.write(`${options.json ? JSON.stringify({instance: id, lines}) : `${id}${told}`}\n`);
      }
      return EXIT.done;
    },
  );

/** What a program wrote when it gave the result that is stored, in whichever pipeline; nothing for other instances. */
async function storedLog(store: Store, record: StoreRecord | undefined): Promise<readonly string[] | undefined> {
  const log = record?.outputs[LOG_OUTPUT];
  if (!record || log?.kind !== 'file') return undefined;
  const bytes = await store.readBlob(log.digest);
  if (!(bytes instanceof Uint8Array)) return undefined;
  const written = new TextDecoder().decode(bytes).split('\n');
  if (written.at(-1) === '') written.pop();
  return ['stored with its result:', ...written.map((line) => `  ${line}`), `ran after ${record.seconds.toFixed(1)} s`];
}
