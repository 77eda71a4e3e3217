import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'list-stage',
  doc: 'Its parameters become a list.',
  params: z.strictObject({value: z.number()}).transform(({value}) => [value]),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'Nothing.', columns: {}}},
  computes: 'plain',
  run: async () => ({summary: []}),
});
