import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Model} from '../models/model.ts';
import {unnamed} from './vit-checkpoint-config.ts';

/**
 * The config.json under which transformers loads a model's tensors. Classes without names have those that transformers gives them.
 *
 * @throws StageError when transformers has no such network.
 */
export function exportedConfig({config, labels}: Model): JsonObject {
  const {model, labels: _, class_names: names, ...fields} = config;
  if (model !== 'vit') {
    throw new StageError(
      `A network of kind ${String(model)} cannot be exported: transformers has none like it.`,
      'Export a vit; `basin show … --format arrow` gives the tensors of any network.',
    );
  }
  const classes = Array.isArray(names) ? names.map(String) : Array.from({length: labels}, (_, label) => unnamed(label));
  return {
    architectures: ['ViTForImageClassification'],
    model_type: 'vit',
    ...fields,
    id2label: Object.fromEntries(classes.map((name, label) => [String(label), name])),
    label2id: Object.fromEntries(classes.map((name, label) => [name, label])),
  };
}

/** The preprocessor_config.json of weights: `ViTImageProcessor` under the names that basin has from it. */
export const exportedPreprocessor = (preprocessor: JsonObject): JsonObject => ({
  image_processor_type: 'ViTImageProcessor',
  ...preprocessor,
});
