import {z} from 'zod';

/** How basin's side of a comparison computes. `stock-wasm` is TensorFlow.js' own, without our kernels. */
export const sideOptionsSchema = z.strictObject({
  case: z.string(),
  backend: z.enum(['tensorflow', 'wasm', 'cpu', 'stock-wasm']),
  threads: z.int().min(1),
});
export type SideOptions = z.output<typeof sideOptionsSchema>;

/** What is asked of a side, a line of JSON each. */
export const requestSchema = z.discriminatedUnion('do', [
  /** `count` units of work; the first ever also starts it: data, recording, compiling. */
  z.strictObject({do: z.literal('run'), count: z.int().min(1)}),
  /** The fastest product of this shape. */
  z.strictObject({do: z.literal('multiply'), shape: z.tuple([z.int(), z.int(), z.int()])}),
  /** The most memory since it was last asked. */
  z.strictObject({do: z.literal('memory')}),
  z.strictObject({do: z.literal('name')}),
]);
export type Request = z.output<typeof requestSchema>;

export const ranSchema = z.object({milliseconds: z.number(), values: z.array(z.number())});
export const multipliedSchema = z.object({gflops: z.number()});
export const memorySchema = z.object({mib: z.number()});
export const nameSchema = z.object({name: z.string()});
export const errorSchema = z.object({error: z.string()});
