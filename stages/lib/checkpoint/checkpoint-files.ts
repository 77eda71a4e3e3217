import {stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {isJsonObject, type Json} from '../../../src/base/json.ts';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {quoted, shown} from './quoted.ts';
import {readObject} from './read-json.ts';

/** The files of a checkpoint, as absolute paths. */
export interface CheckpointFiles {
  readonly config: string;
  readonly preprocessor: string | undefined;
  /** One file, or the shards that the index names. */
  readonly weights: readonly string[];
  readonly index: string | undefined;
}

/** Why there is no checkpoint at a place, and what to do. */
export interface NoCheckpoint {
  readonly reason: string;
  readonly hint: string;
  /** The path leads to no file and no folder. */
  readonly nothingThere?: true;
}

export const CONFIG = 'config.json';
export const PREPROCESSOR = 'preprocessor_config.json';
export const WEIGHTS = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';

const INDEX_HINT = 'Use an index as transformers writes it, with its shards in the same folder.';

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** A plain name of a safetensors file: an index may not lead out of its own folder. */
const isShardName = (name: Json): name is string => typeof name === 'string' && /^[^/\\\0]+\.safetensors$/.test(name);

/** The shards that an index names, sorted. @throws StageError when it names anything but files beside it. */
export async function shardsOf(index: string): Promise<string[]> {
  const {weight_map: map} = await readObject(index);
  if (!isJsonObject(map)) throw new StageError(`${INDEX} has no weight_map from tensors to files.`, INDEX_HINT);
  const names = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (!isShardName(file)) {
      throw new StageError(
        `${INDEX} places tensor ${quoted(tensor)} in ${shown(file)}, which is not a safetensors file beside it.`,
        INDEX_HINT,
      );
    }
    names.add(file);
  }
  if (names.size === 0) throw new StageError(`${INDEX} names no file in its weight_map.`, INDEX_HINT);
  return [...names].sort();
}

/**
 * Finds a checkpoint at an absolute path: a folder as HuggingFace writes it, or a .safetensors file with config.json
 * beside it.
 *
 * @throws StageError when an index of shards is broken.
 */
export async function findCheckpoint(path: string): Promise<Result<CheckpointFiles, NoCheckpoint>> {
  const asFolder = await isFolder(path);
  if (!asFolder && !(await isFile(path))) {
    const hint = 'Paths are relative to the pipeline file.';
    return fail({reason: 'There is nothing at this path.', hint, nothingThere: true});
  }
  if (!asFolder && !path.endsWith('.safetensors')) {
    return fail({
      reason: 'This is not a .safetensors file.',
      hint: 'Only safetensors can be read; save other checkpoints again with save_pretrained(folder).',
    });
  }
  const folder = asFolder ? path : dirname(path);
  const single = asFolder ? join(folder, WEIGHTS) : path;
  const index = join(folder, INDEX);
  const sharded = asFolder && !(await isFile(single)) && (await isFile(index));
  const weights = sharded ? (await shardsOf(index)).map((name) => join(folder, name)) : [single];
  for (const file of [join(folder, CONFIG), ...weights]) {
    if (await isFile(file)) continue;
    return fail({
      reason: (await isThere(file))
        ? `${basename(file)} in the checkpoint is not a file.`
        : `${basename(file)} is missing from the checkpoint.`,
      hint: `A checkpoint is ${WEIGHTS} (or ${INDEX} and its shards) with ${CONFIG} beside it, as save_pretrained(folder) writes it.`,
    });
  }
  const preprocessor = join(folder, PREPROCESSOR);
  return ok({
    config: join(folder, CONFIG),
    preprocessor: (await isFile(preprocessor)) ? preprocessor : undefined,
    weights,
    index: sharded ? index : undefined,
  });
}
