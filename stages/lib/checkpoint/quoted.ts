const LONGEST = 120;

/** A name out of a file as a message shows it: in quotes, escapes visible, a hostile length cut. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name);
