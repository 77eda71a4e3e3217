import {closestMatch} from 'leven';

/** The name a person probably meant, or nothing when none is near enough to be a typo. */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  return closestMatch(wrong, [...names], {
    maxDistance: wrong.length < 4 ? 1 : Math.max(2, Math.floor(wrong.length / 3)),
  });
}

/** `Did you mean "x"?` when a near name exists, else the list of what there is. */
export function suggestion(wrong: string, names: Iterable<string>, what: string): string {
  const all = [...names];
  const near = nearestName(wrong, all);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return all.length === 0 ? `There are no ${what}.` : `The ${what} are: ${all.join(', ')}.`;
}
