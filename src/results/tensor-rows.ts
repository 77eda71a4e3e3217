import {underColumns} from '../artifact/axis-columns.ts';
import {gatherRows} from '../artifact/gather.ts';
import type {Mask, Row, Rows, Weights} from '../artifact/kinds.ts';
import {ok, type Result} from '../base/result.ts';
import type {Instance} from '../graph/graph.ts';
import type {StoreRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {type NotReadable, notRun, readArtifactBytes} from './read-artifact.ts';

/** What a person wants to see of weights or masks: a row a tensor, the axes of their instances as columns. */
export async function tensorRows(
  store: Store,
  members: readonly {readonly instance: Instance; readonly record: StoreRecord | undefined}[],
  artifact: string,
): Promise<Result<Rows, NotReadable>> {
  const {decodeArtifact} = await import('../artifact/decode.ts'); // loads the Arrow library, which only blobs need
  const gathered = [];
  for (const {instance, record} of members) {
    const output = record?.outputs[artifact];
    if (!output) return notRun(`${instance.id} has not run.`);
    const bytes = await readArtifactBytes(store, instance, artifact, output);
    if (!bytes.ok) return bytes;
    const rows =
      output.kind === 'mask'
        ? maskRows(decodeArtifact('mask', bytes.value))
        : weightRows(decodeArtifact('weights', bytes.value));
    gathered.push({axes: instance.axes, rows});
  }
  const columns = gathered.flatMap(({rows}) => Object.keys(rows[0] ?? {}));
  const shown = underColumns(gathered[0]?.axes ?? {}, columns);
  return ok(gatherRows(gathered.map(({axes, rows}) => ({axes: shown(axes), rows}))));
}

const maskRows = ({tensors}: Mask): Row[] =>
  tensors.map(({name, shape, bits}) => {
    const kept = bits.reduce((sum, bit) => sum + bit, 0);
    return {name, shape: shape.join('×'), weights: bits.length, kept, kept_fraction: kept / bits.length};
  });

const weightRows = ({tensors}: Weights): Row[] =>
  tensors.map(({name, shape, values}) => {
    let sum = 0;
    let squares = 0;
    let zeros = 0;
    for (const value of values) {
      sum += value;
      squares += value * value;
      if (value === 0) zeros += 1;
    }
    return {
      name,
      shape: shape.join('×'),
      weights: values.length,
      mean: sum / values.length,
      l2: Math.sqrt(squares),
      zeros,
    };
  });
