import type {NamedTensor} from '../../../src/artifact/kinds.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {bicubic} from '../models/bicubic.ts';
import {vitConfigSchema} from '../models/vit-config.ts';
import {POSITIONS} from '../models/vit-parameters.ts';
import {schemaFaults} from '../schema-faults.ts';

/** A network that is not bound yet. */
interface Network {
  readonly config: JsonObject;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** Patches along a side of a picture. */
function gridOf(config: JsonObject): number {
  const parsed = vitConfigSchema.safeParse(config);
  if (parsed.success) return parsed.data.image_size / parsed.data.patch_size;
  throw new StageError(
    `The network cannot take pictures of this image_size: ${schemaFaults(parsed.error)}`,
    'Give image_size a multiple of the patch size.',
  );
}

/** Position embeddings [1, 1 + from², D] over a grid of `to` patches a side; the class token's stays as it is. */
function resampled({name, values}: NamedTensor, width: number, from: number, to: number): NamedTensor {
  const patches = bicubic(values.subarray(width), width, from, to);
  const whole = new Float32Array(width + patches.length);
  whole.set(values.subarray(0, width));
  whole.set(patches, width);
  return {name, shape: [1, 1 + to * to, width], values: whole};
}

/**
 * The same Vision Transformer for pictures of `imageSize` pixels: its position embeddings are resampled as transformers does
 * with `interpolate_pos_encoding`, but once and for all.
 *
 * @throws StageError when it is no ViT, or its patches do not divide the size.
 */
export function resizePositions({config, tensors}: Network, imageSize: number): Network {
  if (config.model !== 'vit') {
    throw new StageError(
      `image_size is given, but a network of kind ${String(config.model)} has no position embeddings to resample.`,
      'Remove image_size.',
    );
  }
  const resized = {...config, image_size: imageSize};
  const from = gridOf(config);
  const to = gridOf(resized);
  const positions = tensors.get(POSITIONS);
  const [one, places, width = 0] = positions?.shape ?? [];
  // Positions that do not fit the configuration are left for `fitTensors` to name.
  if (positions === undefined || from === to || one !== 1 || places !== 1 + from * from) {
    return {config: resized, tensors};
  }
  return {config: resized, tensors: new Map([...tensors, [POSITIONS, resampled(positions, width, from, to)]])};
}
