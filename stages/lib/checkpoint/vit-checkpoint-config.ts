import {isJsonObject, type JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {vitConfigSchema} from '../models/vit-config.ts';

const FIELDS = Object.keys(vitConfigSchema.shape).filter((name) => name !== 'model' && name !== 'labels');

/** Classes as transformers counts them: `id2label`, else `num_labels`, else 2. */
function labelsOf(config: JsonObject): number {
  const {id2label, num_labels: count} = config;
  if (isJsonObject(id2label)) return Object.keys(id2label).length;
  return typeof count === 'number' ? count : 2;
}

/**
 * Our configuration of a HuggingFace config.json: its fields that a forward pass uses; defaults are filled in by
 * `bindModel`, which also refuses what is out of range.
 *
 * @throws StageError when it is not a ViT.
 */
export function vitCheckpointConfig(config: JsonObject): JsonObject {
  const {model_type: type} = config;
  if (type !== 'vit') {
    throw new StageError(
      `config.json describes a model of type ${JSON.stringify(type ?? null)}, and only "vit" can be loaded.`,
      'Choose a Vision Transformer such as google/vit-base-patch16-224-in21k.',
    );
  }
  const used = FIELDS.filter((name) => config[name] !== undefined).map((name) => [name, config[name] ?? null]);
  return {model: 'vit', labels: labelsOf(config), ...Object.fromEntries(used)};
}
