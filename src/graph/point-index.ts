import {keyOf, type Row} from './relation.ts';

/** Finds the points that agree with a row of a sweep without looking at all of them. */
export class PointIndex {
  readonly #rows: Row[];
  /** For each set of axes that was asked about, the places of the points by where they stand on these. */
  readonly #known = new Map<string, {readonly axes: readonly string[]; readonly places: Map<string, number[]>}>();

  constructor(rows: readonly Row[]) {
    this.#rows = [...rows];
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Places in `rows`, ascending; all where `axes` says nothing. */
  agreeing(axes: Row['axes']): readonly number[] {
    const names = [...axes.keys()].sort();
    const id = names.join('\n');
    let known = this.#known.get(id);
    if (!known) {
      const places = Map.groupBy(this.#rows.keys(), (place) => this.#keyAt(place, names));
      known = {axes: names, places};
      this.#known.set(id, known);
    }
    return known.places.get(keyOf({axes, inputs: {}}, names)) ?? [];
  }

  /** Another row at the same point. */
  replace(place: number, change: (row: Row) => Row): void {
    const row = this.#rows[place];
    if (row) this.#rows[place] = change(row);
  }

  add(row: Row): void {
    const place = this.#rows.push(row) - 1;
    for (const {axes, places} of this.#known.values()) {
      const key = this.#keyAt(place, axes);
      const there = places.get(key);
      if (there) there.push(place);
      else places.set(key, [place]);
    }
  }

  #keyAt(place: number, axes: readonly string[]): string {
    const row = this.#rows[place];
    return row ? keyOf(row, axes) : '';
  }
}
