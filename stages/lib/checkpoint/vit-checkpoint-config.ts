import {isJsonObject, type Json, type JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {vitConfigSchema} from '../models/vit-config.ts';
import {schemaFaults} from '../schema-faults.ts';
import {shown} from './quoted.ts';

const OURS = new Set(['model', 'labels', 'class_names']);
const FIELDS = Object.keys(vitConfigSchema.shape).filter((name) => !OURS.has(name));

const refuse = (reason: string): StageError =>
  new StageError(
    `config.json cannot be used: ${reason.replace(/\.$/, '')}.`,
    'Fetch the checkpoint again, or write the field as transformers does.',
  );

/** Names of transformers for an activation that basin has under another name: the same function. */
const SAME_ACTIVATION: ReadonlyMap<Json, Json> = new Map([['gelu_pytorch_tanh', 'gelu_new']]);

/** Refuses what would make transformers compute something else than classes with these very tensors. */
function refuseOtherWork({problem_type: problem = null, pruned_heads: pruned = {}, quantization_config}: JsonObject) {
  if (problem !== null && problem !== 'single_label_classification') {
    throw refuse(`problem_type is ${shown(problem)}, and basin trains for one class a picture`);
  }
  if (isJsonObject(pruned) && Object.keys(pruned).length > 0)
    throw refuse('pruned_heads takes heads out of the network');
  if (isJsonObject(quantization_config ?? null)) throw refuse('quantization_config stores weights in other numbers');
}

/** Classes as transformers counts them: `id2label`, else `num_labels`, else 2; 0 for a body without a head. */
function labelsOf(config: JsonObject): number {
  const {id2label = null, num_labels: count = null} = config;
  if (isJsonObject(id2label)) return Object.keys(id2label).length;
  if (id2label !== null) throw refuse(`id2label is ${shown(id2label)}, where a map from number to name was expected`);
  if (count === null) return 2;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  throw refuse(`num_labels is ${shown(count)}, where a whole number was expected`);
}

/** What transformers calls a class that nobody gave a name. */
export const unnamed = (label: number): string => `LABEL_${label}`;

/** What the classes are called, from class 0; nothing where `id2label` gives no names, or none that a person could read. */
export function classNamesOf({id2label = null}: JsonObject): readonly string[] | undefined {
  if (!isJsonObject(id2label)) return undefined;
  const given = Object.keys(id2label).map((_, label) => id2label[String(label)]);
  const names = given.filter(
    (name): name is string => typeof name === 'string' && /^.{1,1000}$/su.test(name) && name.isWellFormed(),
  );
  return names.length === given.length && names.some((name, label) => name !== unnamed(label)) ? names : undefined;
}

/**
 * Our configuration of a HuggingFace config.json: its fields that a forward pass uses; defaults are filled in by
 * `bindModel`.
 *
 * @throws StageError when it is not a ViT, or a field is not what it should be.
 */
export function vitCheckpointConfig(config: JsonObject): JsonObject {
  const {model_type: type = null} = config;
  if (type !== 'vit') {
    throw new StageError(
      `config.json describes a model of type ${shown(type)}, and only "vit" can be loaded.`,
      'Choose a Vision Transformer such as google/vit-base-patch16-224-in21k.',
    );
  }
  refuseOtherWork(config);
  const used: Record<string, Json> = {};
  for (const name of FIELDS) {
    const value = config[name];
    if (value !== undefined) used[name] = SAME_ACTIVATION.get(value) ?? value;
  }
  // The number of labels may be given anew, so its range is for the model to check.
  const parsed = vitConfigSchema.safeParse({...used, model: 'vit'});
  if (!parsed.success) throw refuse(schemaFaults(parsed.error));
  const names = classNamesOf(config);
  return {model: 'vit', labels: labelsOf(config), ...(names && {class_names: names}), ...used};
}
