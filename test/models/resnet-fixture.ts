import {readFileSync} from 'node:fs';
import {z} from 'zod';

const tensor = z.object({shape: z.array(z.int()), values: z.base64()}).transform(({shape, values}) => {
  const bytes = Uint8Array.from(Buffer.from(values, 'base64'));
  return {shape, values: new Float32Array(bytes.buffer)};
});
const byName = z.record(z.string(), tensor);

const file = z.object({
  cases: z.array(
    z.object({
      config: z.record(z.string(), z.json()),
      start: byName,
      pictures: tensor,
      labels: z.array(z.int()),
      /** Logits at the start: as evaluated, and as in training. */
      evaluated: tensor,
      trained: tensor,
      gradients: byName,
      /** Three steps of AdamW on the same batch: losses, running statistics and logits afterwards. */
      losses: z.array(z.number()),
      buffers: byName,
      after: tensor,
    }),
  ),
});

/** What PyTorch gives for two small residual networks; test/fixtures/resnet/make.py made it. */
export const {cases} = file.parse(
  JSON.parse(readFileSync(new URL('../fixtures/resnet/resnet.json', import.meta.url), 'utf8')),
);
