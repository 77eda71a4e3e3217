import {z} from 'zod';
import {namePatternSchema} from './prunable.ts';

const fraction = (doc: string) => z.number().gt(0).lt(1).describe(doc);
const names = (doc: string) => z.array(namePatternSchema).min(1).describe(doc).optional();

const openLth = {
  rule: z.literal('open_lth').describe('Over all tensors together, as open_lth prunes.'),
  fraction: fraction('Of the weights that are left, the part to remove.').default(0.2),
  ignore: names('Tensors that are counted and never pruned: pruning_layers_to_ignore.'),
};

const original = {
  rule: z.literal('original').describe('Each tensor by itself, as in the first lottery ticket experiments.'),
  fraction: fraction('Of the weights that are left in each tensor, the part to remove.').default(0.2),
  rates: z
    .array(z.strictObject({of: namePatternSchema, fraction: fraction('The part to remove.')}))
    .min(1)
    .describe('Tensors with a fraction of their own; of two that match, the later one counts.')
    .optional(),
};

const bertTickets = {
  rule: z.literal('bert-tickets').describe('A tenth of all weights a round, over all tensors together.'),
  round: z.int().min(0).max(9).describe('k, from 0: the round removes 1 / (10 − k) of the weights that are left.'),
};

const exact = {
  rule: z.literal('exact').describe('Down to a fraction of all weights, over all tensors together; ties by index.'),
  keep: z.number().gt(0).max(1).describe('Fraction of all prunable weights to keep, in (0, 1].'),
};

/** A rule by which the smallest weights are removed, beside the parameters of a stage. */
export const magnitudeRules = <Shape extends z.ZodRawShape>(stage: Shape) =>
  z.discriminatedUnion('rule', [
    z.strictObject({...stage, ...openLth}),
    z.strictObject({...stage, ...original}),
    z.strictObject({...stage, ...bertTickets}),
    z.strictObject({...stage, ...exact}),
  ]);

export const magnitudeRule = magnitudeRules({});
export type MagnitudeRule = z.output<typeof magnitudeRule>;
