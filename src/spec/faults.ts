import type {Diagnostic, SourceText} from '../base/diagnostic.ts';
import type {Place} from './tree.ts';

/** Collects faults, so that a phase can carry on and all of them are shown at once. */
export class Faults {
  readonly #found = new Map<string, Diagnostic>();
  readonly #sources: SourceText[] = [];

  /**
   * At one place a fault is kept once; `topic` tells faults of one code apart there. It is the message unless given: a
   * sweep meets one fault at every point, each time about another value.
   */
  add(code: string, at: Place | undefined, message: string, hint?: string, topic = message): void {
    const id = `${code}\n${at ? `${this.#number(at.source)} ${at.span.start} ${at.span.end}` : ''}\n${topic}`;
    if (this.#found.has(id)) return;
    this.#found.set(id, {code, message, ...(hint !== undefined && {hint}), ...(at && {at})});
  }

  #number(source: SourceText): number {
    const known = this.#sources.indexOf(source);
    return known >= 0 ? known : this.#sources.push(source) - 1;
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
