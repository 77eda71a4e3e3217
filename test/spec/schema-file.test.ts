import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {registry} from '../../src/cli/registry.ts';
import {pipelineSchema} from '../../src/spec/json-schema.ts';
import {withSharedDefinitions} from '../../src/spec/shared-definitions.ts';

test('pipelines/pipeline.schema.json is what basin schema prints', () => {
  const file = readFileSync(new URL('../../pipelines/pipeline.schema.json', import.meta.url), 'utf8');
  const schema = withSharedDefinitions(pipelineSchema(registry));
  expect(JSON.parse(file), 'run: bin/basin schema > pipelines/pipeline.schema.json').toEqual(schema);
});
