import {isJsonObject, type JsonObject} from '../base/json.ts';
import {describeSchema} from '../spec/stage-parameters.ts';

export interface Choices {
  readonly text: string;
  /** Whether more is known of one than its name. */
  readonly isDescribed: boolean;
}

/**
 * What a parameter may be that decides which others there are: each choice with what its author says of it, and only those that go with what is `given`
 * beside it, as far as there are any. Undefined where no choice has a name of its own.
 *
 * @param branches the schemas that know it.
 */
export function choicesOf(
  path: string,
  branches: readonly JsonObject[],
  given: readonly string[],
): Choices | undefined {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const known = branches.flatMap((branch) => {
    const properties = isJsonObject(branch.properties) ? branch.properties : {};
    const schema = properties[name];
    return isJsonObject(schema) ? [{branch, schema, takes: new Set(Object.keys(properties))}] : [];
  });
  if (!known.some(({schema}) => 'const' in schema)) return undefined;
  const telling = given.filter((key) => {
    const takers = known.filter(({takes}) => takes.has(key)).length;
    return takers > 0 && takers < known.length;
  });
  const fitting = known.filter(({takes}) => telling.every((key) => takes.has(key)));
  const shown = fitting.length > 0 ? fitting : known;
  const texts = [...new Set(shown.map(({branch, schema}) => textOf(schema, branch)))];
  if (new Set(known.map(({schema}) => JSON.stringify(schema.const ?? schema))).size < 2) return undefined;
  const beside =
    fitting.length > 0 && telling.length > 0 ? `, beside ${telling.map((key) => `"${key}"`).join(' and ')}` : '';
  return {
    text: `${path}${beside}: ${texts.join('; ')}.`,
    isDescribed: shown.some(({branch, schema}) => docOf(schema, branch) !== undefined),
  };
}

function textOf(schema: JsonObject, branch: JsonObject): string {
  const doc = docOf(schema, branch);
  if (!('const' in schema)) return doc ?? describeSchema(schema) ?? 'another value';
  return doc === undefined ? JSON.stringify(schema.const) : `${JSON.stringify(schema.const)} (${doc})`;
}

/** A branch that the parameter decides is what its author may have described in its place. */
function docOf(schema: JsonObject, branch: JsonObject): string | undefined {
  const doc = schema.description ?? ('const' in schema ? branch.description : undefined);
  return typeof doc === 'string' ? doc.replace(/\.$/, '') : undefined;
}
