import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';

/** Characters from which a schema that occurs twice is worth a name. */
const LEAST = 400;

/** Draft-07 keywords by what stands under them. */
const KEYWORDS = {
  schema: ['items', 'additionalProperties', 'propertyNames', 'not', 'if', 'then', 'else'],
  list: ['anyOf', 'oneOf', 'allOf'],
  byName: ['properties', 'patternProperties', 'definitions'],
} as const;
const isIn = (names: readonly string[], key: string): boolean => names.includes(key);

/** Applies a change to each schema directly inside, with the name that stands for what it is about. */
function inside(schema: JsonObject, about: string, change: (inner: Json, about: string) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]): [string, Json] => {
      if (isIn(KEYWORDS.byName, key) && isJsonObject(value)) {
        return [key, Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner, name)]))];
      }
      if (Array.isArray(value) && (isIn(KEYWORDS.list, key) || key === 'items')) {
        return [key, value.map((inner) => change(inner, about))];
      }
      return [key, isIn(KEYWORDS.schema, key) ? change(value, about) : value];
    }),
  );
}

/**
 * The same schema with each large part that occurs more than once written once, among `definitions`, and referred to: editors read
 * the whole file, which was almost three times as large.
 */
export function withSharedDefinitions(schema: JsonObject): JsonObject {
  const times = new Map<string, number>();
  const count = (part: Json, about: string): Json => {
    if (!isJsonObject(part)) return part;
    const text = JSON.stringify(part);
    const before = times.get(text) ?? 0;
    times.set(text, before + 1);
    // what lies in a part that has been counted is written once with it
    return before === 0 ? inside(part, about, count) : part;
  };
  inside(schema, '', count);

  const names = new Map<string, string>();
  const definitions: Record<string, Json> = {};
  const taken = new Set(Object.keys(isJsonObject(schema.definitions) ? schema.definitions : {}));
  const nameFor = (about: string): string => {
    for (let number = 1; ; number++) {
      const name = number === 1 ? about : `${about}-${number}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
  const share = (part: Json, about: string): Json => {
    if (!isJsonObject(part)) return part;
    const text = JSON.stringify(part);
    if (text.length < LEAST || (times.get(text) ?? 0) < 2) return inside(part, about, share);
    const known = names.get(text);
    if (known !== undefined) return {$ref: `#/definitions/${known}`};
    const name = nameFor(about);
    names.set(text, name);
    definitions[name] = inside(part, about, share);
    return {$ref: `#/definitions/${name}`};
  };
  const {definitions: own = {}, ...rest} = inside(schema, '', share);
  return {...rest, definitions: {...(isJsonObject(own) ? own : {}), ...definitions}};
}
