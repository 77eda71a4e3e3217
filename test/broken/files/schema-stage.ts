import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'schema-stage',
  doc: 'Declares what no key can hold.',
  params: z.strictObject({
    from: z.coerce.date().describe('Day.').optional(),
    size: z.coerce.bigint().optional(),
    most: z
      .literal('inf')
      .transform(() => Number.POSITIVE_INFINITY)
      .optional(),
    tags: z
      .array(z.string())
      .transform((tags) => ({unique: new Set(tags), all: [undefined, () => tags]}))
      .optional(),
    name: z
      .string()
      .transform((name) => ({[name]: name.slice(0, 1)}))
      .optional(),
    ring: z
      .string()
      .transform((name) => {
        const ring: Record<string, unknown> = {name};
        ring.next = {back: ring};
        return ring;
      })
      .optional(),
  }),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'Nothing.', columns: {}}},
  computes: 'plain',
  run: async () => ({summary: []}),
});
