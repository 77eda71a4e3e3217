import {blocksOf, type ResnetConfig} from '../stages/lib/models/resnet-config.ts';
import {tokensOf, type VitConfig} from '../stages/lib/models/vit-config.ts';
import type {Case} from './cases.ts';
import {ALPHAS} from './work.ts';

/** A product that is large enough to show a peak: rows, inner, columns. */
export const PEAK_PRODUCT = [2080, 768, 768] as const;

/**
 * Floating-point operations of the matrix products of one unit of a case's work, two a multiply-add. A linear layer makes
 * three products in training (output, input gradient, weight gradient; patches have no input gradient), attention two and
 * four for their gradients. Of the last block only what the class token needs is counted, because only that is needed.
 */
export function operationsOf(one: Case): number {
  switch (one.work) {
    case 'train':
    case 'platon':
      return operations(one, one.batch, true);
    case 'eval':
      return operations(one, one.pictures, false);
    case 'sweep':
      return ALPHAS.length * operations(one, one.pictures, false);
  }
}

function operations({config}: Case, batch: number, trains: boolean): number {
  return config.model === 'vit' ? ofTransformer(config, batch, trains) : ofResidual(config, batch, trains);
}

const product = (rows: number, inputs: number, outputs: number) => 2 * rows * inputs * outputs;

function ofTransformer(config: VitConfig, batch: number, trains: boolean): number {
  const {hidden_size: width, intermediate_size: inner, num_hidden_layers: layers} = config;
  const tokens = tokensOf(config);
  const times = trains ? 3 : 1;
  const block = (queries: number) =>
    times *
    (product(batch * queries, width, 2 * width) + // query and output
      product(batch * tokens, width, 2 * width) + // key and value
      product(batch * queries, width, 2 * inner) +
      2 * product(batch * queries, tokens, width)); // q kᵀ and its product with v
  const patches = (trains ? 2 : 1) * product(batch * (tokens - 1), config.num_channels * config.patch_size ** 2, width);
  return patches + (layers - 1) * block(tokens) + block(1) + times * product(batch, width, config.labels);
}

/** Convolutions, as products of windows with filters; the first has no input gradient. */
function ofResidual(config: ResnetConfig, batch: number, trains: boolean): number {
  const times = trains ? 3 : 1;
  const first = (trains ? 2 : 1) * product(batch * config.image_size ** 2, 9 * config.num_channels, config.width);
  const blocks = blocksOf(config).map(({inputs, outputs, stride}) => {
    const pixels = batch * ((config.image_size * config.width) / outputs) ** 2;
    const shortcut = stride === 2 ? product(pixels, inputs, outputs) : 0;
    return times * (product(pixels, 9 * inputs, outputs) + product(pixels, 9 * outputs, outputs) + shortcut);
  });
  return blocks.reduce((sum, block) => sum + block, first) + times * product(batch, 4 * config.width, config.labels);
}
