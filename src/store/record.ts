import type {ArtifactKind, Rows} from '../artifact/kinds.ts';
import type {Digest, Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';

export interface OutputRecord {
  readonly kind: ArtifactKind;
  readonly digest: Digest;
  readonly bytes: number;
  /** Rows of a table kind. */
  readonly rows?: number;
  /** A small table, whole, so that a no-op opens no blob. */
  readonly inline?: Rows;
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
