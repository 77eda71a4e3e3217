/** A field by a name that a person chose, which may be `constructor` and then is none of every object's. */
export const own = <T>(fields: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;
