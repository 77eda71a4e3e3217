import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {hasNativeOperations} from '../tensor/fused/native.ts';
import {PRECISIONS, type Precision} from '../tensor/fused/product.ts';
import type {Tf} from '../tensor/library.ts';
import {isUserModel} from './models/user-model.ts';

/** How the products of linear layers compute, for every stage that runs a network; a stage names fp32 in its `noop`. */
export const precisionSchema = z
  .enum(PRECISIONS)
  .default('fp32')
  .describe(
    'fp32, or bf16: linear layers multiply what is rounded to bfloat16 and sum in float32; weights and all else stay in float32.',
  );

/** What bf16 does less than its name says, for a model and on this back end: sentences for the log. */
export function precisionNotes(tf: Tf, config: JsonObject, precision: Precision): readonly string[] {
  if (precision === 'fp32') return [];
  if (isUserModel(config))
    return ['precision: bf16 does nothing in a model of your own; its numbers are those of fp32 under another key.'];
  return [
    ...(config.model === 'resnet'
      ? ['precision: bf16 rounds the classifier of a residual network alone; its convolutions compute in fp32.']
      : []),
    ...(hasNativeOperations(tf)
      ? []
      : [
          'precision: bf16 takes longer than fp32 here: this back end has no products of bfloat16, only their numbers.',
        ]),
  ];
}
