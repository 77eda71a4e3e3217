import {readFileSync} from 'node:fs';
import {z} from 'zod';

/** Vectors that were not made by this project; how each came to be is said in the file. */
const file: unknown = JSON.parse(readFileSync(new URL('../golden/golden.json', import.meta.url), 'utf8'));

const numbers = z.array(z.number());
const nested = z.union([numbers, z.array(numbers)]);
const picture = z.array(z.array(numbers));
const byName = z.record(z.string(), nested);

export const golden = z
  .object({
    lcg: z.object({seed: z.number(), first5: numbers}),
    adamw: z.object({init: numbers, trace: z.array(z.object({lr: z.number(), p: numbers}))}),
    platon: z.object({
      params: z.array(z.tuple([z.string(), numbers])),
      trace: z.array(
        z.object({step: z.number(), r: z.number(), mask_threshold: z.number().nullable(), nonzero: numbers}),
      ),
      final: byName,
      exp_avg_ipt: byName,
      exp_avg_unc: byName,
    }),
    lmc: z.object({
      alphas: numbers,
      loss: numbers,
      error_pct: numbers,
      frankle_loss_barrier: z.number(),
      frankle_error_instability: z.number(),
      convex_loss_barrier: z.number(),
    }),
    layerwise_lmc: z.object({
      'barrier_loss[default=model1, default=model2]': z.record(z.string(), z.tuple([z.number(), z.number()])),
    }),
    imp_bert_tickets: z.object({
      sizes: numbers,
      pruned_after_rounds: numbers,
      masks: z.array(z.array(numbers)),
    }),
    imp_open_lth: z.object({ceil_k: z.number(), threshold: z.number(), pruned: z.number()}),
    pil: z.object({
      img: picture,
      resize8x8_bilinear: picture,
      resize4x4_bilinear: picture,
      L: z.array(numbers),
      HSV: picture,
      'brightness1.3': picture,
      'contrast0.7': picture,
      'saturation1.6': picture,
      'hue+0.1': picture,
      'hue-0.25': picture,
    }),
  })
  .parse(file);

/** The generator all vectors are filled by: x ← 1664525·x + 1013904223 mod 2^32, as a fraction of 2^32. */
export function lcg(seed: number): () => number {
  let x = seed >>> 0;
  return () => {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    return x / 2 ** 32;
  };
}
