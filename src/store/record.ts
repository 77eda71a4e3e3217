import type {InlineRows} from '../artifact/inline-rows.ts';
import type {ArtifactKind} from '../artifact/kinds.ts';
import type {Digest, Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';

export interface OutputRecord {
  readonly kind: ArtifactKind;
  readonly digest: Digest;
  readonly bytes: number;
  /** Rows of a table kind. */
  readonly rows?: number;
  /** A small table, whole, so that a no-op opens no blob. */
  readonly inline?: InlineRows;
}

/** What a key gave: written last, after its blobs. */
export interface StoreRecord {
  readonly key: Key;
  /** Everything the key is the digest of, in the clear. */
  readonly preimage: JsonObject;
  readonly outputs: Readonly<Record<string, OutputRecord>>;
  /** Wall-clock seconds it took to compute: the cost of losing it. */
  readonly seconds: number;
}

/** Whether two results are the same bytes under the same names. */
export function sameOutputs({outputs}: Pick<StoreRecord, 'outputs'>, other: Pick<StoreRecord, 'outputs'>): boolean {
  const names = Object.keys(outputs);
  return (
    names.length === Object.keys(other.outputs).length &&
    names.every((name) => outputs[name]?.digest === other.outputs[name]?.digest)
  );
}
