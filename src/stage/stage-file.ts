import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {z} from 'zod';
import type {Diagnostic, SourceText, Span} from '../base/diagnostic.ts';
import type {Digest} from '../base/digest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Stage} from './define-stage.ts';
import {ImportError, importWithClosure} from './module-closure.ts';

const isFunction = (value: unknown): boolean => typeof value === 'function';
const kinded = z.record(
  z.string(),
  z.looseObject({kind: z.enum(['file', 'weights', 'mask', 'metrics', 'evals', 'points', 'examples', 'summary'])}),
);
/** As much of a stage as a file can get wrong that no compiler has seen. */
const shape = z.looseObject({
  name: z.string().min(1),
  origin: z.looseObject({}),
  params: z.custom((value) => value instanceof z.ZodType, 'it must be a zod schema; import {z} from "lossbasin"'),
  inputs: kinded,
  outputs: kinded,
  computes: z.enum(['tensors', 'plain']),
  run: z.custom(isFunction, 'it must be a function'),
});
const isStage = (value: unknown): value is Stage => shape.safeParse(value).success;

/**
 * The stage that a user's file exports by default; its code is its version. The error is what is wrong with the file, with the place
 * in it where that is known.
 *
 * @param library URL of the module that the file knows as `lossbasin`.
 */
export async function loadStageFile(path: string, library: string): Promise<Result<Stage>> {
  try {
    const {exports, closure} = await importWithClosure(path, library);
    const found = typeof exports === 'object' && exports !== null && 'default' in exports ? exports.default : undefined;
    return isStage(found) ? ok(fromFile(found, path, closure)) : fail([noStage(found, path)]);
  } catch (error) {
    return fail([importFault(error, path)]);
  }
}

const fromFile = (stage: Stage, path: string, closure: Digest): Stage => ({
  ...stage,
  version: closure,
  origin: {from: 'file', path, closure},
});

const EXAMPLE = 'Write export default defineStage({…}), with import {defineStage} from "lossbasin".';

function noStage(found: unknown, path: string): Diagnostic {
  const source = sourceOf(path);
  const text = source?.text ?? '';
  const start = Math.max(0, text.search(/\bexport\s+default\b/));
  const at = source && {source, span: {start, end: start + (/^\S+( +\S+)?/.exec(text.slice(start))?.[0].length ?? 1)}};
  const told = (message: string, hint: string): Diagnostic => ({
    code: 'bad-stage-file',
    message,
    hint,
    ...(at && {at}),
  });
  if (found === undefined) return told('This file exports no stage by default.', EXAMPLE);
  const parsed = shape.safeParse(found);
  const issue = parsed.error?.issues[0];
  if (!issue || issue.path.length === 0 || issue.path[0] === 'origin')
    return told('What this file exports by default was not made by defineStage.', EXAMPLE);
  return told(
    `The stage's "${issue.path.join('.')}" is not right: ${issue.message}.`,
    'See "Adding your own stage" in the recipes.',
  );
}

function importFault(error: unknown, path: string): Diagnostic {
  if (error instanceof ImportError) {
    const source = sourceOf(error.file);
    const {text, start} = error.written;
    const found = Math.max(0, source?.text.indexOf(text, start) ?? 0);
    const at = source && {source, span: {start: found, end: found + text.length}};
    return {code: 'bad-stage-file', message: error.message, hint: error.hint, ...(at && {at})};
  }
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  const shown = relative(process.cwd(), path) || path;
  if (isMissing)
    return {
      code: 'no-stage-file',
      message: `There is no file ${shown}.`,
      hint: 'Paths start at the folder of the pipeline file.',
    };
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  const at = placeOf(error);
  const kind = error instanceof Error ? error.name : 'Error';
  return {
    code: 'bad-stage-file',
    message: `${shown} cannot be loaded: ${kind}: ${message}`,
    hint: 'Mend the file, or the import in it.',
    ...(at && {at}),
  };
}

/** Where a stack says that an error is: a syntax error has its place before its name, others in their frames. */
function placeOf(error: unknown): {source: SourceText; span: Span} | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, url = '', line = '1', column] of stack.matchAll(
    /((?:file:\/\/)?\/[^\n:()]*?)(?:\?[^\n:()]*)?:(\d+)(?::(\d+))?/g,
  )) {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    const source = path.includes('node_modules') ? undefined : sourceOf(path);
    if (!source) continue;
    const lines = source.text.split('\n');
    const before = lines.slice(0, Number(line) - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const carets = /^( *)(\^+)/m.exec(stack);
    const shown = lines[Number(line) - 1] ?? '';
    const start = before + (column === undefined ? (carets?.[1]?.length ?? shown.search(/\S/)) : Number(column) - 1);
    return {source, span: {start, end: start + (column === undefined ? (carets?.[2]?.length ?? 1) : 1)}};
  }
  return undefined;
}

function sourceOf(path: string): SourceText | undefined {
  try {
    return {name: relative(process.cwd(), path), text: readFileSync(path, 'utf8')};
  } catch {
    return undefined;
  }
}
