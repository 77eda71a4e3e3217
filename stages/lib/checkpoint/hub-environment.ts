import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {StageError} from '../../../src/stage/define-stage.ts';

// As huggingface_hub reads its variables: constants.py and utils/_auth.py of 2.4.

type Environment = NodeJS.ProcessEnv;

/** As huggingface_hub reads its switches. */
export const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '');

/** A path as Python's `expanduser` and `expandvars` leave it: for variables from files that no shell has read. */
const expanded = (path: string, environment: Environment): string =>
  path
    .replace(/^~(?=\/|$)/, () => environment.HOME || homedir())
    .replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, plain, braced) => environment[plain ?? braced] ?? whole);

function huggingFaceHome(environment: Environment): string {
  const {HF_HOME, XDG_CACHE_HOME} = environment;
  return expanded(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), environment);
}

/** The folder of the local cache. */
export function hubCache(environment: Environment): string {
  const {HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE} = environment;
  const given = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  return given ? expanded(given, environment) : join(huggingFaceHome(environment), 'hub');
}

/** What opens private and gated models, and the variable or the file that it is from. */
export interface HubToken {
  readonly value: string;
  readonly from: string;
}

/**
 * The token that huggingface_hub would send: of HF_TOKEN, else of HUGGING_FACE_HUB_TOKEN, else of the file that `hf auth login`
 * writes ($HF_TOKEN_PATH, $HF_HOME/token); none where HF_HUB_DISABLE_IMPLICIT_TOKEN is on.
 *
 * @throws StageError, which does not show it, when it cannot be read or sent.
 */
export async function hubToken(environment: Environment): Promise<HubToken | undefined> {
  const {HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN} = environment;
  if (isOn(HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  // what is left of a variable may be empty: then the file counts, and not the other variable
  const variable = HF_TOKEN ? 'HF_TOKEN' : 'HUGGING_FACE_HUB_TOKEN';
  const ofEnvironment = checked(HF_TOKEN || HUGGING_FACE_HUB_TOKEN, variable);
  if (ofEnvironment !== undefined) return ofEnvironment;
  const path = HF_TOKEN_PATH ? expanded(HF_TOKEN_PATH, environment) : join(huggingFaceHome(environment), 'token');
  return checked(await textOf(path), path);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StageError(
      `The token of the HuggingFace hub in ${path} cannot be read (${code}).`,
      'Make it readable, or remove it; HF_TOKEN goes before it.',
    );
  }
}

/** A header with other characters is refused by an error that shows all of it. */
function checked(text: string | undefined, from: string): HubToken | undefined {
  const value = text?.replaceAll(/[\r\n]/g, '').trim();
  if (!value) return undefined;
  if (/^[\x20-\x7e]+$/.test(value)) return {value, from};
  throw new StageError(
    `The token of the HuggingFace hub in ${from} has characters that no token has.`,
    'Copy it again from the settings of your account; it begins with hf_.',
  );
}
