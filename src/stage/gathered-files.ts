import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {canonicalJson} from '../base/canonical-json.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {placeStored, placeText} from './place-file.ts';

/** One of several artifacts that a stage is handed as files. */
export interface GatheredFile {
  readonly axes: JsonObject;
  readonly path: string;
}

/** What the folder of gathered files has besides them: a list of `{axes, file}` in the order of the points. */
const INDEX = 'index.json';
/** Systems allow 255 bytes, some of them less in encrypted folders. */
const LONGEST_NAME = 120;

/** Puts gathered files into a folder for a program, each named by its axes: `alpha=0.5.txt`. */
export async function placeGathered(
  files: readonly GatheredFile[],
  extension: string | undefined,
  folder: string,
): Promise<void> {
  await mkdir(folder, {recursive: true});
  const taken = new Set<string>();
  const rows: string[] = [];
  for (const [at, {axes, path}] of files.entries()) {
    const file = `${nameOf(axes, at, taken)}${extension === undefined ? '' : `.${extension}`}`;
    await placeStored(path, join(folder, file));
    rows.push(JSON.stringify({axes, file}));
  }
  await placeText(`[${rows.join(',\n')}]\n`, join(folder, INDEX));
}

/** Readable, safe in any folder, and unlike every other also where a system does not tell upper from lower case. */
function nameOf(axes: JsonObject, at: number, taken: Set<string>): string {
  const whole = Object.entries(axes)
    .map(([axis, value]) => `${axis}=${encoded(value)}`)
    .join(',');
  const isFree = whole.length <= LONGEST_NAME && !taken.has(whole.toLowerCase());
  const name = isFree ? whole : `${whole.slice(0, LONGEST_NAME - 10)}~${at + 1}`;
  taken.add(name.toLowerCase());
  return name;
}

const encoded = (value: Json): string =>
  (typeof value === 'string' ? value : canonicalJson(value)).replace(/[^A-Za-z0-9._+-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
