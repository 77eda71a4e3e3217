import type {Key} from '../../base/digest.ts';
import {hasUnseen} from '../../base/terminal-text.ts';
import type {Instance, InstanceId} from '../../graph/graph.ts';
import {harmless} from '../../report/format.ts';
import {failedSince, instanceLog} from '../../results/instance-log.ts';
import {storedLog} from '../../results/stored-log.ts';
import {LOG_OUTPUT} from '../../stage/command-stage.ts';
import {placeOf} from '../../store/pipeline-place.ts';
import type {StoreRecord} from '../../store/record.ts';
import {EXIT} from '../exit-code.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';
import {repeatCommand} from '../repeat-command.ts';

/** In bytes; "show" writes all of a log of longer ones. */
const LONGEST_LINE = 2 ** 16;
/** In lines; a log may be longer than the longest text. */
const PART = 1000;

/** `log FILE INSTANCE`: for the case that the last lines a run shows are not enough. */
export const logCommand = (file: string, name: string, options: PipelineOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => findInstances(graph, name),
    async ({graph, plan, store}, instances) => {
      const pipeline = placeOf(store.root, graph);
      const recordOf = ({index}: Instance): StoreRecord | undefined => plan.instances[index]?.record;
      const ofPrograms = instances.flatMap((instance): [InstanceId, Key][] => {
        const record = recordOf(instance);
        return record && LOG_OUTPUT in record.outputs ? [[instance.id, record.key]] : [];
      });
      const failed = await failedSince(store.root, pipeline, new Map(ofPrograms));
      for (const instance of instances) {
        const {id} = instance;
        const record = recordOf(instance);
        const stored = await storedLog(store, record, LONGEST_LINE);
        const lines =
          record && stored
            ? ended(failed.get(id) ?? [], stored, record.seconds)
            : inParts(await instanceLog(store.root, pipeline, id, record?.key));
        const nothing = nothingLeft(id, record, file, options);
        const parts = options.json ? asJson(id, lines) : asText(id, lines, nothing);
        for await (const part of parts) await written(part);
      }
      return EXIT.done;
    },
  );

const written = (piece: string): Promise<void> =>
  new Promise((resolve) => process.stdout.write(piece, () => resolve()));

/** Lines of a log, some at a time. */
type Lines = Iterable<readonly string[]> | AsyncIterable<readonly string[]>;

async function* ended(failed: readonly string[], stored: Lines, seconds: number): AsyncGenerator<readonly string[]> {
  yield* inParts(failed);
  yield ['stored with its result:'];
  for await (const lines of stored) yield lines.map((line) => `  ${line}`);
  yield [`ran after ${seconds.toFixed(1)} s`];
}

function* inParts(lines: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < lines.length; at += PART) yield lines.slice(at, at + PART);
}

async function* asText(id: string, parts: Lines, nothing: string): AsyncGenerator<string> {
  let begun = false;
  for await (const lines of parts) {
    if (lines.length === 0) continue;
    const text = lines.join('\n');
    yield `${begun ? '' : `${id}, `}${hasUnseen(text) ? lines.map(harmless).join('\n') : text}\n`;
    begun = true;
  }
  if (!begun) yield `${id}${nothing}\n`;
}

async function* asJson(instance: string, parts: Lines): AsyncGenerator<string> {
  yield `{"instance":${JSON.stringify(instance)},"lines":[`;
  let comma = '';
  for await (const lines of parts) {
    if (lines.length === 0) continue;
    yield comma + lines.map((line) => JSON.stringify(line)).join(',');
    comma = ',';
  }
  yield ']}\n';
}

function nothingLeft(id: InstanceId, record: StoreRecord | undefined, file: string, options: PipelineOptions): string {
  if (!record) return ' has not run in this cache.';
  const again = LOG_OUTPUT in record.outputs ? ['--target', `${id}.${LOG_OUTPUT}`] : ['--force', id];
  return ` is stored, but what it wrote is no longer in the cache.\nTo run it again: ${repeatCommand('run', file, again, options)}`;
}
