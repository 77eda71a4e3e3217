import {readFile, stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {isJsonObject, type Json, type JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {quoted} from './quoted.ts';
import {repeatedName} from './repeated-name.ts';

const isObject = (value: Json): value is JsonObject => isJsonObject(value);

/** The object that a JSON text holds, or a StageError that names `what`; a name given twice is one too. */
export function parseObject(text: string, what: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StageError(`${what} is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
  if (!isObject(value)) throw new StageError(`${what} is not a JSON object.`);
  const twice = repeatedName(text);
  if (twice !== undefined) throw new StageError(`${what} has the name ${quoted(twice)} twice in one object.`);
  return value;
}

const LONGEST_CONFIGURATION = 64 * 2 ** 20;

/** A configuration file of a checkpoint. @throws StageError when it cannot be read or is no JSON object. */
export async function readObject(path: string): Promise<JsonObject> {
  const name = basename(path);
  const text = await stat(path).then(
    ({size}) => {
      if (size > LONGEST_CONFIGURATION)
        throw new StageError(`${name} is ${size} bytes long, which no configuration is.`);
      return readFile(path, 'utf8');
    },
    (error: Error) => {
      throw new StageError(`${name} cannot be read: ${error.message}.`);
    },
  );
  return parseObject(text, name);
}
