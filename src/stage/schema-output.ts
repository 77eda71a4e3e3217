import {z} from 'zod';
import {described} from '../base/described.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {fail, ok, type Result} from '../base/result.ts';

/** What is wrong with a schema itself, seen at values that it takes. */
export interface SchemaFault {
  /** Of what it gives: the part that no key can hold; empty where that is no map, or nothing is given. */
  readonly path: readonly PropertyKey[];
  /** Goes on after the name of the part; after that of the whole where the path is empty. */
  readonly message: string;
  readonly hint: string;
}

/** What a schema gives for values, or what is wrong with them or with it. */
type Checked =
  | {readonly state: 'good'; readonly output: JsonObject}
  | {readonly state: 'bad-values'; readonly error: z.ZodError}
  | {readonly state: 'bad-schema'; readonly faults: readonly SchemaFault[]};

const ASYNCHRONOUS: SchemaFault = {
  path: [],
  message: ' cannot be checked: their schema is asynchronous.',
  hint: 'Let it answer at once, without promises; what has to wait can be done where the values are used.',
};

/** Has a schema check values. What it gives then is what keys hold and what is handed to whoever declared the schema. */
export function checkedBy(schema: z.ZodType, given: Json): Checked {
  const parsed = parsedBy(schema, given);
  if (parsed === undefined) return {state: 'bad-schema', faults: [ASYNCHRONOUS]};
  if (!parsed.success) return {state: 'bad-values', error: parsed.error};
  const json = jsonOf(parsed.data);
  return json.ok ? {state: 'good', output: json.value} : {state: 'bad-schema', faults: json.error.map(faultOf)};
}

/** @throws where the values, or the schema, are not right. */
export function outputOf(schema: z.ZodType, given: Json): JsonObject {
  const checked = checkedBy(schema, given);
  switch (checked.state) {
    case 'good':
      return checked.output;
    case 'bad-values':
      throw checked.error;
    case 'bad-schema':
      throw new Error(checked.faults.map(({path, message}) => `${path.map(String).join('.')}${message}`).join(' '));
  }
}

function faultOf({path, what}: NoJson): SchemaFault {
  const message =
    path.length === 0 ? ` become ${what}, and must be a map.` : ` becomes ${what}, which no key can hold.`;
  return {
    path,
    message,
    hint: 'A schema may give text, finite numbers, true, false, null, lists and maps: make anything else of them where it is used.',
  };
}

interface NoJson {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

/** What a schema gave, with its type again. Keys, jobs and artifacts hold it as JSON, which `checkedBy` has found it to be. */
export const typedBy = <S extends z.ZodType>(output: Json): z.output<S> => output as z.output<S>;

function parsedBy(schema: z.ZodType, given: Json): z.ZodSafeParseResult<unknown> | undefined {
  try {
    return schema.safeParse(given);
  } catch (error) {
    if (error instanceof z.core.$ZodAsyncError) return undefined;
    throw error;
  }
}

function jsonOf(output: unknown): Result<JsonObject, readonly NoJson[]> {
  if (!isMap(output)) return fail([{path: [], what: inWords(output)}]);
  const wrong: NoJson[] = [];
  const json = mapOf(output, {path: [], above: [], wrong});
  return wrong.length === 0 ? ok(json) : fail(wrong);
}

interface Walk {
  readonly path: PropertyKey[];
  readonly above: unknown[];
  readonly wrong: NoJson[];
}

/** What is absent in memory is absent in JSON. */
function partOf(value: unknown, walk: Walk): Json | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'undefined':
      return value;
    case 'string':
      return value.isWellFormed() ? value : none(value, walk);
    case 'number':
      if (!Number.isFinite(value)) return none(value, walk);
      return value === 0 ? 0 : value;
  }
  if (value === null) return null;
  if (walk.above.includes(value)) return none(value, walk, 'a value that holds itself');
  if (Array.isArray(value)) return listOf(value, walk);
  return isMap(value) ? mapOf(value, walk) : none(value, walk);
}

function listOf(list: readonly unknown[], walk: Walk): Json {
  walk.above.push(list);
  // `map` would leave the gaps of a list out
  const items = Array.from(list, (item, index) => {
    walk.path.push(index);
    const json = item === undefined ? none(item, walk) : partOf(item, walk);
    walk.path.pop();
    return json ?? null;
  });
  walk.above.pop();
  return items;
}

function mapOf(map: object, walk: Walk): JsonObject {
  walk.above.push(map);
  const object: Record<string, Json> = {};
  for (const [name, item] of Object.entries(map)) {
    walk.path.push(name);
    const json = name.isWellFormed() ? partOf(item, walk) : none(name, walk);
    if (json !== undefined) object[name] = json;
    walk.path.pop();
  }
  walk.above.pop();
  return object;
}

function none(value: unknown, {path, wrong}: Walk, what = inWords(value)): undefined {
  wrong.push({path: [...path], what});
}

const isMap = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && isPlain(Object.getPrototypeOf(value));
const isPlain = (prototype: unknown): boolean => prototype === null || prototype === Object.prototype;

function inWords(value: unknown): string {
  if (typeof value === 'string')
    return value.isWellFormed() ? 'text' : 'text with half of a character (a lone surrogate)';
  return described(value);
}
