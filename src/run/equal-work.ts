import type {Key} from '../base/digest.ts';

/** Equal work is done once: who computes a key, and the instances that wait for it because theirs is the same. */
export class EqualWork {
  readonly #waiting = new Map<Key, number[]>();

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
}
