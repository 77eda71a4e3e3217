import type {Diagnostic} from '../base/diagnostic.ts';
import type {Place} from './tree.ts';

/** Collects faults, so that a phase can carry on and all of them are shown at once. */
export class Faults {
  readonly #found = new Map<string, Diagnostic>();

  /** Of equal faults at one place the first is kept: a sweep meets the same one at every point. */
  add(code: string, at: Place | undefined, message: string, hint?: string): void {
    const place = at && `${at.source.name}\n${at.source.text.length}\n${at.span.start}\n${at.span.end}`;
    const id = at === undefined ? `${code}\n${message}` : `${code}\n${place}`;
    if (this.#found.has(id)) return;
    this.#found.set(id, {code, message, ...(hint !== undefined && {hint}), ...(at && {at})});
  }

  get all(): readonly Diagnostic[] {
    return [...this.#found.values()];
  }

  get none(): boolean {
    return this.#found.size === 0;
  }

  get count(): number {
    return this.#found.size;
  }
}
