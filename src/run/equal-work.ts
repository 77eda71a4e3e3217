import {canonicalJson} from '../base/canonical-json.ts';
import type {Key} from '../base/digest.ts';
import type {Instance} from '../graph/graph.ts';
import type {Failure} from './event.ts';

/** Equal work is done once, also where it fails: who computes a key, and the instances that wait for it because theirs is the same. */
export class EqualWork {
  readonly #waiting = new Map<Key, number[]>();
  readonly #failed = new Map<Key, {readonly instance: Instance; readonly failure: Failure}>();

  /** True for the first to ask, who computes; the others wait for its end. */
  claim(key: Key, index: number): boolean {
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(index);
    else this.#waiting.set(key, []);
    return waiting === undefined;
  }

  isClaimed(key: Key): boolean {
    return this.#waiting.has(key);
  }

  /** Ends a claim; gives those that waited. */
  release(key: Key | undefined): readonly number[] {
    if (key === undefined) return [];
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return waiting;
  }

  /** Ends a claim with a failure; gives those that waited. */
  fail(key: Key | undefined, instance: Instance, failure: Failure): readonly number[] {
    if (key !== undefined) this.#failed.set(key, {instance, failure});
    return this.release(key);
  }

  /** How the work of an instance failed in this run, tried under the same terms: with more time, or other resources, it may end well. */
  failureOf(key: Key, instance: Instance): Failure | undefined {
    const failed = this.#failed.get(key);
    return failed && termsOf(failed.instance) === termsOf(instance) ? failed.failure : undefined;
  }
}

const termsOf = ({timeOut, retries, resources}: Instance): string =>
  canonicalJson({timeOut: timeOut ?? null, retries, resources});
