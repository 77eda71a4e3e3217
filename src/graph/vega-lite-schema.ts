import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {nearestName} from '../base/nearest.ts';
import type {Place, Tree} from '../spec/tree.ts';

/** Where a value is not what the schema wants. */
export type Misfit = {readonly at: Place} & (
  | {readonly what: 'unknown' | 'missing'; readonly name: string; readonly names: readonly string[]}
  /** `choices` are the values, `types` the kinds of value that would be right. */
  | {
      readonly what: 'value';
      readonly given: Tree;
      readonly choices: readonly string[];
      readonly types: readonly string[];
    }
);

/** As the schema of Vega-Lite 6 has them (draft-07): it uses no keyword that is not looked at here but `format` and sizes of texts and maps. */
export class VegaLiteSchema {
  readonly #definitions: JsonObject;
  /** Branches of unions meet the same values again and again, each level of nesting in all of them. */
  readonly #known = new Map<string, WeakMap<Tree, readonly Misfit[]>>();

  constructor() {
    const path = fileURLToPath(import.meta.resolve('vega-lite/vega-lite-schema.json'));
    const schema: {readonly definitions: JsonObject} = JSON.parse(readFileSync(path, 'utf8'));
    this.#definitions = schema.definitions;
  }

  /** What keeps a plot from being a specification of Vega-Lite; of a union what keeps it from the branch that is nearest. */
  misfits(plot: Tree): readonly Misfit[] {
    return this.#named('TopLevelSpec', plot);
  }

  #named(name: string, tree: Tree): readonly Misfit[] {
    const known = this.#known.get(name) ?? new WeakMap<Tree, readonly Misfit[]>();
    this.#known.set(name, known);
    const before = known.get(tree);
    if (before) return before;
    const found = this.#check(this.#definitions[name], tree);
    known.set(tree, found);
    return found;
  }

  #check(schema: Json | undefined, tree: Tree): readonly Misfit[] {
    if (!isJsonObject(schema)) return [];
    const {$ref, anyOf} = schema;
    if (typeof $ref === 'string') return this.#named(decodeURIComponent($ref.replace('#/definitions/', '')), tree);
    if (Array.isArray(anyOf))
      return nearest(
        anyOf.map((branch) => this.#check(branch, tree)),
        tree,
      );
    if (!hasType(schema.type, tree) || !isChoice(schema, tree)) return [wrongValue(schema, tree)];
    const bounds = boundsText(schema, tree);
    if (bounds !== undefined) return [{what: 'value', at: tree.at, given: tree, choices: [], types: [bounds]}];
    if (tree.kind === 'list') return this.#items(schema, tree);
    return tree.kind === 'map' ? this.#entries(schema, tree) : [];
  }

  #items({items, minItems, maxItems}: JsonObject, tree: Extract<Tree, {kind: 'list'}>): readonly Misfit[] {
    const {length} = tree.items;
    if ((typeof minItems === 'number' && length < minItems) || (typeof maxItems === 'number' && length > maxItems)) {
      const wanted =
        minItems === maxItems ? `a list of ${minItems}` : `a list of ${minItems ?? 0} to ${maxItems ?? 'any'}`;
      return [{what: 'value', at: tree.at, given: tree, choices: [], types: [wanted]}];
    }
    return tree.items.flatMap((item, i) => this.#check(isJsonList(items) ? items[i] : items, item));
  }

  #entries(schema: JsonObject, tree: Extract<Tree, {kind: 'map'}>): readonly Misfit[] {
    const properties = isJsonObject(schema.properties) ? schema.properties : {};
    const names = Object.keys(properties);
    const {required, additionalProperties: others} = schema;
    const misfits = [...tree.entries.values()].flatMap(({name, keyAt, value}): readonly Misfit[] => {
      if (Object.hasOwn(properties, name)) return this.#check(properties[name], value);
      return others === false ? [{what: 'unknown', at: keyAt, name, names}] : this.#check(others, value);
    });
    const missing = (isJsonList(required) ? required : []).map(String).filter((name) => !tree.entries.has(name));
    const misspelt = misfits.flatMap((misfit) => (misfit.what === 'unknown' ? [nearestName(misfit.name, names)] : []));
    const lacking = missing.filter((name) => !misspelt.includes(name));
    return [...misfits, ...lacking.map((name): Misfit => ({what: 'missing', at: tree.at, name, names: missing}))];
  }
}

const isJsonList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

function typesOf({type, enum: choices, const: only}: JsonObject): readonly string[] {
  if (isJsonList(type)) return type.map(String);
  return type === undefined || choices !== undefined || only !== undefined ? [] : [String(type)];
}

function hasType(type: Json | undefined, tree: Tree): boolean {
  if (type === undefined) return true;
  const wanted = isJsonList(type) ? type : [type];
  if (tree.kind === 'list') return wanted.includes('array');
  if (tree.kind === 'map') return wanted.includes('object');
  if (tree.kind === 'pending') return true;
  if (tree.value === null) return wanted.includes('null');
  return wanted.includes(typeof tree.value) || (wanted.includes('integer') && Number.isInteger(tree.value));
}

const choicesOf = ({enum: choices, const: only}: JsonObject): readonly Json[] =>
  isJsonList(choices) ? choices : only === undefined ? [] : [only];

function isChoice(schema: JsonObject, tree: Tree): boolean {
  const choices = choicesOf(schema);
  return choices.length === 0 || (tree.kind === 'scalar' && choices.includes(tree.value));
}

/** The bounds of a number that it does not keep. */
function boundsText({minimum: least, maximum: most}: JsonObject, tree: Tree): string | undefined {
  if (tree.kind !== 'scalar' || typeof tree.value !== 'number') return undefined;
  const low = typeof least === 'number' ? least : Number.NEGATIVE_INFINITY;
  const high = typeof most === 'number' ? most : Number.POSITIVE_INFINITY;
  if (tree.value >= low && tree.value <= high) return undefined;
  return high === Number.POSITIVE_INFINITY ? `a number from ${low} on` : `a number from ${low} to ${high}`;
}

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map',
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

const wrongValue = (schema: JsonObject, given: Tree): Misfit => ({
  what: 'value',
  at: given.at,
  given,
  choices: choicesOf(schema).map((choice) => String(choice)),
  types: typesOf(schema).map((type) => TYPES[type] ?? type),
});

/** None when a branch fits; else those of the branch that is nearest: of the right kind of value, then with the right keys, then with the fewest. */
function nearest(branches: readonly (readonly Misfit[])[], tree: Tree): readonly Misfit[] {
  if (branches.some((misfits) => misfits.length === 0)) return [];
  const isWhole = ([first]: readonly Misfit[]): boolean => first?.what === 'value' && first.given === tree;
  const inside = branches.filter((misfits) => !isWhole(misfits));
  const [least] = inside.toSorted(
    (one, other) => wrongKeys(one, tree) - wrongKeys(other, tree) || one.length - other.length,
  );
  if (!least) return [merged(tree, branches.flat())];
  const [first] = least;
  if (least.length > 1 || first?.what !== 'value') return least;
  // Several are as near: what they want of one value is wanted together.
  const equal = inside.filter((misfits) => misfits.length === 1 && misfits[0]?.at === first.at);
  return [merged(first.given, equal.flat())];
}

/** How many keys of a map itself are unknown or missing: what is wrong inside of it says less about which branch was meant. */
function wrongKeys(misfits: readonly Misfit[], tree: Tree): number {
  const keys = tree.kind === 'map' ? [...tree.entries.values()].map(({keyAt}) => keyAt) : [];
  return misfits.filter(({what, at}) => (what === 'missing' ? at === tree.at : what === 'unknown' && keys.includes(at)))
    .length;
}

function merged(given: Tree, misfits: readonly Misfit[]): Misfit {
  const values = misfits.flatMap((misfit) => (misfit.what === 'value' ? [misfit] : []));
  const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
  return {
    what: 'value',
    at: given.at,
    given,
    choices: unique(values.flatMap(({choices}) => choices)),
    types: unique(values.flatMap(({types}) => types)),
  };
}
