import type {Digest} from '../base/digest.ts';

/** Payloads that are missing or damaged: who gave them is to run again, and then who takes them. */
export class DamagedInputs extends Error {
  readonly digests: readonly Digest[];
  constructor(digests: readonly Digest[]) {
    super('inputs are damaged');
    this.digests = digests;
  }
}
