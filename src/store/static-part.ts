import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';

/**
 * Digest of a preimage without its inputs: what is known of an instance before its upstream has run. A record with the same
 * one may serve if upstream gives the bytes it gave before.
 */
export function staticPart(preimage: JsonObject): Digest {
  const {inputs: _, ...rest} = preimage;
  return digestOf(canonicalJson(rest));
}
