import {stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {isJsonObject, type Json, type JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {readPinned} from '../../../src/stage/pinned-files.ts';
import {isNestedDeeper} from './json-depth.ts';
import {quoted} from './quoted.ts';
import {repeatedName} from './repeated-name.ts';

/** The index of the largest published models has 9 MB, and a parsed text takes up to twenty times its size. */
export const LONGEST_JSON = 16 * 2 ** 20;
const DEEPEST_JSON = 100;

const FETCH_AGAIN = 'The file is damaged or not what its name says; fetch the checkpoint again.';

const isObject = (value: Json): value is JsonObject => isJsonObject(value);

/** V8 quotes the text around the fault as it stands; from a hostile file that may hold anything, so only the place is kept. */
function whereJsonBreaks(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  const place = /at position \d+/.exec(text)?.[0];
  if (place !== undefined) return `it breaks ${place}`;
  return /end of JSON input/.test(text) ? 'it ends too early' : 'it does not read as JSON at all';
}

/** The object that a JSON text holds, or a StageError that names `what`; a name given twice is one too. */
export function parseObject(text: string, what: string): JsonObject {
  if (isNestedDeeper(text, DEEPEST_JSON)) {
    throw new StageError(`${what} is nested more than ${DEEPEST_JSON} levels deep.`, FETCH_AGAIN);
  }
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StageError(`${what} is not JSON: ${whereJsonBreaks(error)}.`, FETCH_AGAIN);
  }
  if (!isObject(value)) throw new StageError(`${what} is not a JSON object.`, FETCH_AGAIN);
  const twice = repeatedName(text);
  if (twice !== undefined) {
    throw new StageError(`${what} has the name ${quoted(twice)} twice in one object.`, FETCH_AGAIN);
  }
  return value;
}

async function readSmallFile(path: string, name: string): Promise<Uint8Array> {
  try {
    const {size} = await stat(path);
    if (size <= LONGEST_JSON) return await readPinned(path);
    throw new StageError(
      `${name} is ${size} bytes long, and basin reads such files up to ${LONGEST_JSON} bytes.`,
      'No model has one so large: is it another file under this name?',
    );
  } catch (error) {
    if (error instanceof StageError || !(error instanceof Error && 'code' in error)) throw error;
    throw new StageError(
      `${name} cannot be read (${String(error.code)}).`,
      'Check that the file is there and readable.',
    );
  }
}

/** A configuration file of a checkpoint. @throws StageError when it cannot be read or is no JSON object. */
export async function readObject(path: string): Promise<JsonObject> {
  const name = basename(path);
  const bytes = await readSmallFile(path, name);
  let text: string;
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    throw new StageError(`${name} is not UTF-8 text.`, FETCH_AGAIN);
  }
  return parseObject(text, name);
}
