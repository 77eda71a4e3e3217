import {pipelineSchema} from '../../spec/json-schema.ts';
import {withSharedDefinitions} from '../../spec/shared-definitions.ts';
import {EXIT} from '../exit-code.ts';
import {registry} from '../registry.ts';

export async function schemaCommand(): Promise<number> {
  process.stdout.write(`${JSON.stringify(withSharedDefinitions(pipelineSchema(registry)), null, 2)}\n`);
  return EXIT.done;
}
