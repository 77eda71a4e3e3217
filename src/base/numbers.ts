/**
 * A computed number as a person would have written it: 15 significant digits, so that the third of eleven
 * points from 0 to 1 is 0.2 and not 0.30000000000000004's neighbour, and equals the literal in an edited list.
 */
export const roundComputed = (value: number): number => {
  const rounded = Number(value.toPrecision(15));
  return rounded === 0 ? 0 : rounded; // minus zero would print as 0 and compare as another value
};
