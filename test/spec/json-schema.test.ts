import {expect, test} from 'vitest';
import {isJsonObject, type Json} from '../../src/base/json.ts';
import {pipelineSchema} from '../../src/spec/json-schema.ts';
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

test('every reference of the schema leads somewhere', () => {
  const schema = pipelineSchema(countingStages);
  const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(references.length).toBeGreaterThan(0);
  for (const path of references) expect(at(schema, ...path.split('/')), path).toBeDefined();
});
