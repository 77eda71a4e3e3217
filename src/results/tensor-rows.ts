import {decodeArtifact} from '../artifact/decode.ts';
import type {Rows} from '../artifact/kinds.ts';
import {ok, type Result} from '../base/result.ts';
import type {Instance} from '../graph/graph.ts';
import type {OutputRecord} from '../store/record.ts';
import type {Store} from '../store/store.ts';
import {readArtifactBytes} from './read-artifact.ts';

/** What a person wants to see of weights or a mask: a row a tensor. */
export async function tensorRows(
  store: Store,
  instance: Instance,
  artifact: string,
  output: OutputRecord,
): Promise<Result<Rows, string>> {
  const bytes = await readArtifactBytes(store, instance, artifact, output);
  if (!bytes.ok) return bytes;
  if (output.kind === 'mask') {
    return ok(
      decodeArtifact('mask', bytes.value).tensors.map(({name, shape, bits}) => {
        const kept = bits.reduce((sum, bit) => sum + bit, 0);
        return {name, shape: shape.join('×'), weights: bits.length, kept, kept_fraction: kept / bits.length};
      }),
    );
  }
  return ok(
    decodeArtifact('weights', bytes.value).tensors.map(({name, shape, values}) => {
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
    }),
  );
}
