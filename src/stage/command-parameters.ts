import {z} from 'zod';
import {digestOf} from '../base/digest.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {type NameFault, nameFault, namesFaults} from './file-names.ts';
import type {SourceResolution} from './source.ts';

/** Stands for the `$` of `${in.NAME}` and `${out.NAME}` until the expressions around them are worked out. */
export const REFERENCE_MARK = '\u{e000}';

const WRITTEN = new RegExp(`${REFERENCE_MARK}\\{\\s*(in|out)\\.([A-Za-z0-9_-]+)\\s*\\}`, 'g');
/** `${in.NAME}` or `${out.NAME}`, as an argument has it in the key. */
const REFERENCE = /\$\{(in|out)\.([A-Za-z0-9_-]+)\}/g;
/** Stands behind the `$` of text that reads like a reference and is none: what an axis gives, and `$${in.NAME}`. */
const PLAIN_MARK = '\u{e001}';
const PLAIN = `$${PLAIN_MARK}{`;
const asPlain = (text: string): string => text.replace(REFERENCE, (whole) => whole.replace('${', () => PLAIN));

/** An argument or variable as a program gets it: references are paths. */
export const withPaths = (text: string, paths: ReadonlyMap<string, string>): string =>
  text
    .replace(REFERENCE, (whole, side: string, name: string) => paths.get(`${side}.${name}`) ?? whole)
    .replaceAll(PLAIN, () => '${');

const NOT_A_TEXT = 'it must be a text, a number, true or false';
const text = z
  .union([z.string(), z.number(), z.boolean()], {error: NOT_A_TEXT})
  .transform((value) => asPlain(String(value)).replace(WRITTEN, (_, side, name) => `\${${side}.${name}}`))
  .refine((value) => !value.includes('\0'), 'no program can be handed the character 0');
const path = z.string().min(1);
const variable = z.string().regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/, 'it is no name of a variable');

const issueOf = (at: PropertyKey, {message, hint}: NameFault, input: unknown): z.core.$ZodRawIssue => ({
  code: 'custom',
  path: [at],
  message,
  params: {hint},
  input,
});
const listedFiles = z.array(path).check(({value, issues}) => {
  for (const [index, name] of value.entries()) {
    const fault = nameFault(name, name, false);
    if (fault) issues.push(issueOf(index, fault, name));
  }
});
const namedFiles = z.record(z.string(), path).check(({value, issues}) => {
  for (const {name, ...fault} of namesFaults(value)) issues.push(issueOf(name, fault, name));
});

/** What is written out and empty has no part in a key, like what is left out. */
const unlessEmpty = <T extends object>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value;

export const commandParameters = z.strictObject({
  run: z
    .array(text)
    .min(1)
    .refine(([program]) => program !== '', {error: 'it must name a program', path: [0]})
    .describe('The program and its arguments, as a list; no shell reads them.'),
  files: z
    .union([listedFiles, namedFiles])
    .transform(unlessEmpty)
    .optional()
    .describe('Scripts and data that it reads: paths, folders or patterns; or a map from the name it sees to a path.'),
  env: z
    .union([
      z.array(variable).transform((names) => Object.fromEntries(names.map((name): [string, null] => [name, null]))),
      z.record(variable, z.union([text, z.null()])),
    ])
    .transform(unlessEmpty)
    .optional()
    .describe('Variables of the environment: names to pass on, or a map of names to values.'),
  // Its shape is looked at where the file is read.
  out: z.record(z.string(), z.json()).transform(unlessEmpty).optional().describe('What it gives: names and kinds.'),
});

/** Those that a program reads as text, so that they are handed to it as they are written. */
export const WRITTEN_PARAMETERS: ReadonlySet<string> = new Set(['run', 'env']);

/** Those that say how the node is wired. */
export const WIRED_PARAMETERS: ReadonlySet<string> = new Set(['in', 'out']);

const locatedFile = z.object({path: z.string(), digest: z.string(), executable: z.boolean()});
export type LocatedFile = z.infer<typeof locatedFile>;

/** What a worker is handed: files found, variables read. */
export const locatedCommand = z.object({
  run: z.array(z.string()).min(1),
  // By name; zod's records leave out a file that is called __proto__.
  files: z.preprocess((files) => Object.entries(files ?? {}), z.array(z.tuple([z.string(), locatedFile]))).default([]),
  env: z.record(z.string(), z.string().nullable()).default({}),
});

/**
 * Variables that are passed on have their values in the key as digests, since a key is stored in the clear and a variable may be a
 * secret; values that the pipeline gives are there as written.
 */
export async function resolveEnvironment(value: Json): Promise<SourceResolution> {
  const given: JsonObject = isJsonObject(value) ? value : {};
  const identity: Record<string, Json> = {};
  const located: Record<string, Json> = {};
  for (const [name, set] of Object.entries(given)) {
    const passed = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
    located[name] = set ?? (passed === undefined ? null : asPlain(passed));
    identity[name] = set ?? (passed === undefined ? null : {passed: digestOf(passed)});
  }
  return {state: 'resolved', identity, located};
}

/** Passed on to every program and in no key: they say where things are, and not what is computed. */
const ALWAYS = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_RUNTIME_DIR',
  'LD_LIBRARY_PATH',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CUDA_VISIBLE_DEVICES',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
] as const;

/** The environment of a program: a few variables of the user's, one language and time zone everywhere, and what is declared. */
export function commandEnvironment(
  declared: Readonly<Record<string, string | null>>,
  paths: ReadonlyMap<string, string>,
): Record<string, string> {
  const env: Record<string, string> = {LANG: 'C.UTF-8', TZ: 'UTC'};
  for (const name of ALWAYS) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  for (const [name, value] of Object.entries(declared)) if (value !== null) env[name] = withPaths(value, paths);
  return env;
}
