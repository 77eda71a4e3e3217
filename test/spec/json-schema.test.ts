import {expect, test} from 'vitest';
import {z} from 'zod';
import {isJsonObject, type Json} from '../../src/base/json.ts';
import {pipelineSchema} from '../../src/spec/json-schema.ts';
import {defineStage, type Stage} from '../../src/stage/define-stage.ts';
import {countingStages} from '../rig/counting-stages.ts';

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (here, step) => (isJsonObject(here) ? here[step] : Array.isArray(here) ? here[Number(step)] : undefined),
    value,
  );
}

test('an editor learns of each stage its inputs and parameters, with their descriptions and ranges', () => {
  const schema = pipelineSchema(countingStages);
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  const branches = at(schema, 'definitions', 'node', 'allOf');
  const scale = Array.isArray(branches)
    ? branches.find((branch) => at(branch, 'if', 'properties', 'uses', 'const') === 'scale')
    : undefined;
  expect(at(scale, 'then', 'properties', 'with')).toEqual({
    type: 'object',
    properties: {
      alpha: {
        description: 'Where between nothing and all.',
        anyOf: [
          {type: 'number', minimum: 0, maximum: 1, description: 'Where between nothing and all.'},
          {type: 'string', pattern: '\\$\\{.*\\}'},
        ],
      },
    },
    additionalProperties: false,
  });
  expect(at(scale, 'then', 'properties', 'in', 'required')).toEqual(['a']);
  expect(at(schema, 'definitions', 'node', 'properties', 'uses', 'oneOf', '0')).toEqual({
    const: 'add',
    description: 'Adds two numbers.',
  });
});

/** A parameter that is a tree, whose schema can only be written with a reference. */
function recursive(leaf: string): Stage {
  const tree = z.strictObject({
    [leaf]: z.number(),
    get branches(): z.ZodType {
      return z.array(tree);
    },
  });
  return defineStage({
    name: `recursive-${leaf}`,
    version: 1,
    doc: 'Takes a tree.',
    params: z.strictObject({tree}),
    inputs: {},
    outputs: {summary: {kind: 'summary', doc: 'Nothing.'}},
    computes: 'plain',
    run: async () => ({summary: []}),
  });
}

test('every reference of the schema leads to its own, also where stages use one name for two things', () => {
  const schema = pipelineSchema(new Map([...countingStages, ['one', recursive('one')], ['two', recursive('two')]]));
  const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(new Set(references).size).toBe(3);
  for (const path of references) expect(at(schema, ...path.split('/')), path).toBeDefined();
  const definitions = at(schema, 'definitions');
  const leaves = isJsonObject(definitions)
    ? Object.values(definitions).map((definition) => Object.keys(at(definition, 'properties') ?? {})[0])
    : [];
  expect(leaves).toEqual(['uses', 'one', 'two']);
});
