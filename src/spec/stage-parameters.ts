import {z} from 'zod';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {WIRED_PARAMETERS} from '../stage/command-parameters.ts';
import type {Stage} from '../stage/define-stage.ts';

interface StageParameters {
  /** The draft-07 schema of what may be written under `with`. */
  readonly schema: JsonObject;
  /** The schemas of each parameter, one for each branch of a union that knows it. */
  readonly byName: ReadonlyMap<string, readonly JsonObject[]>;
}

const known = new WeakMap<Stage, StageParameters>();

/** The parameters that a stage declares, across the branches of its unions. */
export function stageParameters(stage: Stage): StageParameters {
  const found = known.get(stage);
  if (found) return found;
  const json: Json = JSON.parse(
    JSON.stringify(z.toJSONSchema(stage.params, {io: 'input', unrepresentable: 'any', target: 'draft-07'})),
  );
  if (!isJsonObject(json)) throw new Error(`Internal error: the parameters of "${stage.name}" have no schema`);
  const {$schema: _, ...schema} = json;
  const byName = new Map<string, JsonObject[]>();
  for (const branch of branchesOf(schema, schema)) {
    if (!isJsonObject(branch.properties)) continue;
    for (const [name, property] of Object.entries(branch.properties)) {
      if (isJsonObject(property)) byName.set(name, [...(byName.get(name) ?? []), property]);
    }
  }
  const parameters = {schema, byName};
  known.set(stage, parameters);
  return parameters;
}

const knownNames = new WeakMap<Stage, ReadonlySet<string>>();

/** The names alone, read off the schema itself: every command needs them, and a JSON Schema takes milliseconds a stage. */
export function parameterNames(stage: Stage): ReadonlySet<string> {
  const found = knownNames.get(stage);
  if (found) return found;
  const names = namesIn(stage.params) ?? new Set(stageParameters(stage).byName.keys());
  knownNames.set(stage, names);
  return names;
}

/** Those that an axis or a row of a sweep can set: what a program takes and gives is the same at every point. */
export function settableNames(stage: Stage): ReadonlySet<string> {
  const names = parameterNames(stage);
  return stage.origin.from === 'command' ? new Set([...names].filter((name) => !WIRED_PARAMETERS.has(name))) : names;
}

/** Undefined for a schema of another make than objects, unions of them, and what is done to their values after. */
function namesIn(schema: z.core.$ZodType): ReadonlySet<string> | undefined {
  if (schema instanceof z.ZodObject) return new Set(Object.keys(schema.shape));
  if (schema instanceof z.ZodPipe) return namesIn(schema.in);
  if (!(schema instanceof z.ZodUnion)) return undefined;
  const branches = schema.options.map(namesIn);
  return branches.includes(undefined) ? undefined : new Set(branches.flatMap((names) => [...(names ?? [])]));
}

/** The innermost schemas of a union, its references followed. */
function branchesOf(schema: JsonObject, root: JsonObject, depth = 0): readonly JsonObject[] {
  if (depth > 20) return [];
  const name = typeof schema.$ref === 'string' ? schema.$ref.replace('#/definitions/', '') : undefined;
  const definitions = isJsonObject(root.definitions) ? root.definitions : {};
  const target = name === undefined ? undefined : definitions[name];
  const inner = [schema.anyOf, schema.oneOf, schema.allOf, target].flat().filter((part) => isJsonObject(part));
  return inner.length === 0 ? [schema] : inner.flatMap((part) => branchesOf(part, root, depth + 1));
}

/** What a schema takes, as the object of "must be": "a number above 0 and at most 1". */
export function describeSchema(schema: JsonObject): string | undefined {
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  const branches = [schema.anyOf, schema.oneOf].flat().filter((part) => isJsonObject(part));
  if (branches.length > 0) {
    const parts = branches.map(describeSchema);
    return parts.every((part) => part !== undefined) ? [...new Set(parts)].join(' or ') : undefined;
  }
  switch (schema.type) {
    case 'number':
      return `a number${boundsOf(schema)}`;
    case 'integer':
      return `a whole number${boundsOf(schema)}`;
    case 'string':
      if (schema.format === 'path') return 'a path';
      return typeof schema.pattern === 'string' ? `text that matches ${schema.pattern}` : 'text';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return 'a list';
    case 'object':
      return 'a map';
    default:
      return undefined;
  }
}

function boundsOf(schema: JsonObject): string {
  const bound = (key: string): number | undefined => {
    const value = schema[key];
    // What zod writes for "a safe integer" says nothing to a person.
    return typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
  };
  const least = bound('minimum');
  const most = bound('maximum');
  const above = bound('exclusiveMinimum');
  const below = bound('exclusiveMaximum');
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`;
  const lower = least !== undefined ? `at least ${least}` : above !== undefined ? `above ${above}` : undefined;
  const upper = most !== undefined ? `at most ${most}` : below !== undefined ? `below ${below}` : undefined;
  const both = [lower, upper].filter((part) => part !== undefined).join(' and ');
  return both === '' ? '' : both.startsWith('at') ? ` of ${both}` : ` ${both}`;
}
