import {z} from 'zod';
import type {JsonObject} from '../../../src/base/json.ts';
import {suggestion} from '../../../src/base/nearest.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Precision} from '../../tensor/fused/product.ts';
import {schemaFaults} from '../schema-faults.ts';
import {mlp, mlpConfigSchema} from './mlp.ts';
import type {Model} from './model.ts';
import {resnet} from './resnet.ts';
import {resnetConfigSchema} from './resnet-config.ts';
import {isUserModel, loadUserModel, userModelSchema} from './user-model.ts';
import {vit} from './vit.ts';
import {vitConfigSchema} from './vit-config.ts';

const builtInSchema = z.discriminatedUnion('model', [vitConfigSchema, mlpConfigSchema, resnetConfigSchema]);

/** A model as a parameter: `{model: vit | mlp | resnet | ./FILE, …}`, each with its own settings and no others. */
export const modelSchema = z.union([builtInSchema, userModelSchema]);

const NAMES: readonly string[] = ['vit', 'mlp', 'resnet'];

/** The model of a configuration, a user's too. @throws StageError when it is not valid, or its file is gone or another one. */
export const loadModel = async (config: JsonObject, precision: Precision = 'fp32'): Promise<Model> =>
  isUserModel(config) ? loadUserModel(config) : bindModel(config, precision);

/** Names of the tensors that hold running statistics; a user's model has none. */
export function runningStatisticsOf(config: JsonObject): ReadonlySet<string> {
  const {success} = builtInSchema.safeParse(config);
  return new Set(success ? bindModel(config).parameters.flatMap(({name, buffer}) => (buffer ? [name] : [])) : []);
}

/**
 * The built-in model of a configuration, with defaults filled in. `precision` is how it computes, and no part of what it is.
 *
 * @throws StageError when the configuration is not valid.
 */
export function bindModel(config: JsonObject, precision: Precision = 'fp32'): Model {
  const parsed = builtInSchema.safeParse(config);
  if (!parsed.success) {
    const {model} = config;
    const hint = typeof model === 'string' && !NAMES.includes(model) ? suggestion(model, NAMES, 'models') : undefined;
    throw new StageError(`The model's configuration is not valid: ${schemaFaults(parsed.error)}`, hint);
  }
  const settings = parsed.data;
  switch (settings.model) {
    case 'vit':
      return vit(settings, precision);
    case 'mlp':
      return mlp(settings, precision);
    case 'resnet':
      return resnet(settings, precision);
  }
}
