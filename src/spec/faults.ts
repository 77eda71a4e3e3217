import type {Diagnostic, SourceText} from '../base/diagnostic.ts';
import type {Place} from './tree.ts';

/** Nobody reads more at once, and each is shown with its line: a hostile file of a few megabytes has a million. */
const MOST_FAULTS = 100;

/** Faults of a value that is then read as something else, so that what is wrong with that is nobody's concern. */
const REPLACES_VALUE: ReadonlySet<string> = new Set(['bad-number', 'bad-text', 'alias', 'too-deep', 'bad-tag']);

/** Collects faults, so that a phase can carry on and all of them are shown at once. */
export class Faults {
  readonly #found = new Map<string, Diagnostic>();
  readonly #replaced = new Set<string>();
  readonly #sources = new Map<SourceText, number>();
  #beyond = 0;
  #next: Place | undefined;

  /**
   * At one place a fault is kept once; `topic` tells faults of one code apart there. It is the message unless given: a
   * sweep meets one fault at every point, each time about another value. Of a value that was refused as such no other fault is kept.
   */
  add(code: string, at: Place | undefined, message: string, hint?: string, topic = message): void {
    const place = at ? `${this.#number(at.source)} ${at.span.start} ${at.span.end}` : '';
    const id = `${code}\n${place}\n${topic}`;
    if (this.#found.has(id)) return;
    if (REPLACES_VALUE.has(code)) this.#replaced.add(place);
    else if (this.#replaced.has(place)) return;
    if (this.#found.size >= MOST_FAULTS) {
      this.#beyond += 1;
      this.#next ??= at;
      return;
    }
    this.#found.set(id, {code, message, ...(hint !== undefined && {hint}), ...(at && {at})});
  }

  /** A file that is used in two places is read twice, and is wrong once. */
  #number(source: SourceText): number {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const equal = [...this.#sources].find(([{name, text}]) => name === source.name && text === source.text);
    const number = equal?.[1] ?? this.#sources.size;
    this.#sources.set(source, number);
    return number;
  }

  get all(): readonly Diagnostic[] {
    const found = [...this.#found.values()];
    if (this.#beyond === 0) return found;
    const message = `There are more faults than these ${MOST_FAULTS}; the next is here.`;
    const at = this.#next;
    return [...found, {code: 'more-faults', message, hint: 'Mend the others first.', ...(at && {at})}];
  }

  get none(): boolean {
    return this.#found.size === 0;
  }

  get count(): number {
    return this.#found.size + this.#beyond;
  }
}
