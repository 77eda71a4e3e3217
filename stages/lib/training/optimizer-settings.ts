import {z} from 'zod';

const betas = z
  .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
  .default([0.9, 0.999])
  .describe('Weights of the past in the running means of the gradient and of its size.');
const eps = (standard: number) =>
  z.number().min(0).max(1).default(standard).describe('Added to what the step is divided by.');

const form = z.discriminatedUnion('name', [
  z.strictObject({name: z.literal('adamw'), betas, eps: eps(1e-8)}),
  z.strictObject({name: z.literal('adam'), betas, eps: eps(1e-8)}),
  z.strictObject({name: z.literal('adamax'), betas, eps: eps(1e-6)}),
  z
    .strictObject({
      name: z.literal('sgd'),
      momentum: z.number().min(0).lt(1).default(0).describe('Weight of the past in the running gradient; 0 for none.'),
      nesterov: z.boolean().default(false).describe("Nesterov's look-ahead; needs momentum, and no dampening."),
      dampening: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe('What the running gradient does not take of the new one; needs momentum.'),
    })
    .refine(({momentum, dampening}) => momentum > 0 || dampening === 0, {
      path: ['dampening'],
      message: 'dampening does nothing without momentum.',
    })
    .refine(({momentum, dampening, nesterov}) => !nesterov || (momentum > 0 && dampening === 0), {
      path: ['nesterov'],
      message: 'nesterov needs momentum above 0 and no dampening.',
    }),
]);

const SHORT = ['adamw', 'torch', 'trainer', 'adam', 'adamax', 'sgd'] as const;

/** An optimizer with all its settings but the rate and the decay, which stand beside it. */
export type OptimizerSettings = z.output<typeof form>;

export const ADAMW: Extract<OptimizerSettings, {name: 'adamw'}> = {name: 'adamw', betas: [0.9, 0.999], eps: 1e-8};

export const optimizerSchema = z
  .union([z.enum(SHORT), form])
  .default(ADAMW)
  .describe(
    'What makes a step of a gradient: adamw, adam, adamax or sgd, by name or as {name, …}. torch is adamw with the decay of torch.optim.AdamW, trainer adamw with that of the HuggingFace Trainer.',
  );

/** What decays when a pipeline does not say: torch's own default for each, the published code's for adamax. */
const DECAY = {
  adamw: {weight_decay: 0.01, decay: 'all'},
  torch: {weight_decay: 0.01, decay: 'all'},
  trainer: {weight_decay: 0, decay: 'weights'},
  adam: {weight_decay: 0, decay: 'all'},
  adamax: {weight_decay: 0.01, decay: 'weights'},
  sgd: {weight_decay: 0, decay: 'all'},
} as const;

const settingsOf = (short: (typeof SHORT)[number]): OptimizerSettings =>
  form.parse({name: short === 'torch' || short === 'trainer' ? 'adamw' : short});

/** The optimizer part of a training's parameters as it is given. */
interface Given {
  readonly optimizer: z.output<typeof optimizerSchema>;
  readonly weight_decay?: number | undefined;
  readonly decay?: 'all' | 'weights' | undefined;
}

/** The parameters with the optimizer in its long form and its decay filled in, so that a short form and a long one are one key. */
export function withOptimizer<T extends Given>(given: T) {
  const {optimizer} = given;
  const standard = DECAY[typeof optimizer === 'string' ? optimizer : optimizer.name];
  return {
    ...given,
    optimizer: typeof optimizer === 'string' ? settingsOf(optimizer) : optimizer,
    weight_decay: given.weight_decay ?? standard.weight_decay,
    decay: given.decay ?? standard.decay,
  };
}
