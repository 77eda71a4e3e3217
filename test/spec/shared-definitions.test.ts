import {expect, test} from 'vitest';
import {isJsonObject, type Json, type JsonObject} from '../../src/base/json.ts';
import {withSharedDefinitions} from '../../src/spec/shared-definitions.ts';

/** A schema with its references written out. */
function writtenOut(schema: JsonObject): Json {
  const {definitions = {}, ...rest} = schema;
  const expand = (part: Json): Json => {
    if (part === null || typeof part !== 'object') return part;
    if (Array.isArray(part)) return part.map(expand);
    if (isJsonObject(part) && typeof part.$ref === 'string' && isJsonObject(definitions)) {
      return expand(definitions[part.$ref.replace('#/definitions/', '')] ?? null);
    }
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, expand(value)]));
  };
  return expand(rest);
}

const inner: JsonObject = {type: 'string', enum: Array.from({length: 60}, (_, index) => `value-${index}`)};
const outer: JsonObject = {
  type: 'object',
  // parameters may be called as keywords are
  properties: {inner, items: {type: 'number'}, definitions: inner},
  additionalProperties: false,
};
const schema: JsonObject = {
  type: 'object',
  properties: {first: outer, second: {type: 'array', items: outer}, third: {anyOf: [inner, {type: 'null'}]}},
  if: {properties: {first: outer}},
  definitions: {first: {type: 'boolean'}},
};

test('what occurs again is written once, and the schema says the same', () => {
  const shared = withSharedDefinitions(schema);
  const {definitions: _, ...rest} = schema;
  expect(writtenOut(shared)).toEqual(rest);
  const text = JSON.stringify(shared);
  expect(text.split('value-59')).toHaveLength(2);
  expect(text.split('additionalProperties')).toHaveLength(2);
});

test('a definition that is there keeps its name and its meaning', () => {
  const {definitions} = withSharedDefinitions(schema);
  expect(definitions).toMatchObject({first: {type: 'boolean'}, 'first-2': {type: 'object'}});
});
