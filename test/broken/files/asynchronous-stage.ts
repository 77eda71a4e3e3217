import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'asynchronous-stage',
  doc: 'Checks its parameters in its own time.',
  params: z.strictObject({value: z.number().refine(async (value) => value > 0)}),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'Nothing.', columns: {}}},
  computes: 'plain',
  run: async () => ({summary: []}),
});
