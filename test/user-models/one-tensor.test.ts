import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {BACKEND, basin, scratchFolder} from '../cli/basin.ts';
import {runJson} from '../cli/run-study.ts';

/** Of one tensor, or with a second one that does nothing. */
const MODEL = `import {defineModel, z} from 'lossbasin';
export default defineModel({
  doc: 'A linear classifier without a bias.',
  settings: z.strictObject({idle: z.boolean()}),
  parameters: ({settings: {idle}, labels}) => ({
    'fc.weight': {shape: [784, labels], init: 'normal', scale: 0.05, prunable: true},
    ...(idle && {'idle.bias': {shape: [1], init: 'zeros'}}),
  }),
  forward: (tf, parameter, pictures) => tf.matMul(tf.reshape(pictures, [-1, 784]), parameter('fc.weight')),
});
`;

/** Of 41 pictures in batches of 20, the last batch of an epoch has one. */
const STUDY = `params:
  data: {name: mnist, classes: [0, 1], limit: {train: 41, test: 20}}
  optimizers: [adamw, trainer, adam, adamax, sgd, {name: sgd, momentum: 0.9, nesterov: true}]
stages:
  start:
    uses: pretrain-load
    with: {source: random, model: {model: ./linear.ts, labels: 2, image_size: 28, num_channels: 1, settings: {idle: "\${idle}"}}}
    sweep: {idle: [false, true]}
  tuned:
    uses: finetune
    in: {weights: start.weights}
    with: {data: "\${data}", length: 2ep, lr: 1.0e-2, batch: 20}
    sweep: {optimizer: "\${optimizers}"}
  parts: {uses: finetune, in: {weights: start.weights}, with: {data: "\${data}", length: 2ep, lr: 1.0e-2, batch: 7, accumulate: 3, clip: 0.5}}
  pruned:
    uses: gradual-prune
    in: {weights: start.weights}
    with: {data: "\${data}", length: 2ep, lr: 1.0e-2, batch: 20, interval: 1, keep: 0.2}
    sweep: {score: [platon, magnitude, movement, random]}
  retrained:
    uses: mask-retrain
    in: {weights: start.weights, mask: {from: pruned.mask, as: {score: rule}}}
    with: {data: "\${data}", length: 2ep, lr: 1.0e-2, batch: 20}
`;

const rows = z.array(z.looseObject({idle: z.boolean(), split: z.string(), loss: z.number()}));

test.each([...new Set(['cpu', BACKEND])])(
  '%s: a model of one tensor is trained by every optimizer and pruned by every score, as beside a tensor that does nothing',
  async (backend) => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'linear.ts'), MODEL);
    await writeFile(join(cwd, 'study.yaml'), STUDY);
    const on = ['--backend', backend];
    const {totals} = await runJson(['study.yaml', ...on], {cwd});
    expect(totals).toMatchObject({ran: 2 * (1 + 6 + 1 + 4 + 4), failed: 0});
    for (const [node, points] of Object.entries({tuned: 6, parts: 1, pruned: 4, retrained: 4})) {
      const shown = await basin(['show', 'study.yaml', `${node}.summary`, '--format', 'json', ...on], {cwd});
      const summary = rows.parse(JSON.parse(shown.stdout));
      const lossesOf = (beside: boolean): readonly number[] =>
        summary.flatMap(({idle, loss}) => (idle === beside ? [loss] : []));
      expect(lossesOf(false)).toHaveLength(points);
      expect(lossesOf(false)).toEqual(lossesOf(true));
    }
  },
  60_000,
);
