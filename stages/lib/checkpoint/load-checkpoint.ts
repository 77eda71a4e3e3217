import {basename, dirname, join} from 'node:path';
import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {checkAbsent} from '../../../src/stage/pinned-files.ts';
import type {PreprocessorSettings} from '../pictures/preprocessor-settings.ts';
import {type CheckpointFiles, findCheckpoint, PREPROCESSOR} from './checkpoint-files.ts';
import {checkpointPreprocessor} from './preprocessor.ts';
import {quoted} from './quoted.ts';
import {readObject} from './read-json.ts';
import {readSafetensors} from './safetensors.ts';
import {vitTensorName} from './tensor-names.ts';
import {vitCheckpointConfig} from './vit-checkpoint-config.ts';

export interface Checkpoint {
  /** For `bindModel`; `labels` are those of the checkpoint's own head. */
  readonly config: JsonObject;
  /** Of its file; without one, the defaults of ViTImageProcessor. */
  readonly preprocessor: PreprocessorSettings;
  readonly hasPreprocessor: boolean;
  /** By their names in ViTForImageClassification; the classifier only where the checkpoint has one. */
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** What later messages may show as it stands. */
const TENSOR_NAME = /^[\w.-]{1,200}$/;

async function filesOf(path: string): Promise<CheckpointFiles> {
  const files = await findCheckpoint(path);
  if (files.ok) {
    const {config, preprocessor} = files.value;
    if (preprocessor === undefined) checkAbsent(join(dirname(config), PREPROCESSOR));
    return files.value;
  }
  throw new StageError(`The checkpoint ${path} cannot be read: ${files.error.reason}`, files.error.hint);
}

/** The configuration alone, for `bindModel`. @throws StageError as `loadCheckpoint`. */
export const checkpointConfig = async (path: string): Promise<JsonObject> =>
  vitCheckpointConfig(await readObject((await filesOf(path)).config));

/**
 * Reads a HuggingFace ViT checkpoint: a folder, or a .safetensors file with config.json beside it.
 *
 * @throws StageError when it is missing, damaged, or not a ViT.
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const files = await filesOf(path);
  const config = vitCheckpointConfig(await readObject(files.config));
  const {preprocessor: described} = files;
  const preprocessor = checkpointPreprocessor(described === undefined ? {} : await readObject(described));
  const tensors = new Map<string, NamedTensor>();
  for (const file of files.weights) {
    for (const tensor of await readSafetensors(file)) {
      if (!TENSOR_NAME.test(tensor.name)) {
        throw new StageError(
          `${basename(file)} holds a tensor named ${quoted(tensor.name)}, which no Vision Transformer has.`,
          'Choose a checkpoint as save_pretrained(folder) writes it.',
        );
      }
      const name = vitTensorName(tensor.name);
      if (name === undefined) continue;
      if (tensors.has(name)) {
        throw new StageError(
          `The checkpoint ${path} holds the tensor ${name} more than once; the second is in ${basename(file)}.`,
          'Its shards overlap, or one is from another checkpoint: fetch it again.',
        );
      }
      tensors.set(name, {...tensor, name});
    }
  }
  return {config, preprocessor, hasPreprocessor: described !== undefined, tensors};
}
