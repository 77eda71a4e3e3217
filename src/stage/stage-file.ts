import {z} from 'zod';
import {ARTIFACT_KINDS, COLUMN_TYPES} from '../artifact/kinds.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Stage} from './define-stage.ts';
import {importFault, sourceOf} from './import-fault.ts';
import {type ImportedModule, importWithClosure} from './module-closure.ts';

/** It becomes the name of a file, and stands behind a dot in `NODE.ARTIFACT`. */
const name = z.string().regex(/^[A-Za-z0-9_][\w-]*$/, 'a name has letters, digits, dashes and underscores');
const kinded = z.record(
  name,
  z.looseObject({
    kind: z.enum(ARTIFACT_KINDS),
    as: z.literal('path').optional(),
    columns: z.record(z.string(), z.enum(COLUMN_TYPES)).optional(),
  }),
);
/** As much of a stage as a file can get wrong that no compiler has seen. */
const shape = z.looseObject({
  name: z.string().min(1),
  origin: z.looseObject({}),
  params: z.custom((value) => value instanceof z.ZodType, 'it must be a zod schema; import {z} from "lossbasin"'),
  inputs: kinded,
  outputs: kinded,
  computes: z.enum(['tensors', 'plain']),
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
    const imported = await importWithClosure(path, library);
    const {exported} = imported;
    return isStage(exported) ? ok(fromFile(exported, path, imported)) : fail([noStage(exported, path)]);
  } catch (error) {
    const {isMissing, ...fault} = importFault(error, path);
    return fail([{code: isMissing ? 'no-stage-file' : 'bad-stage-file', ...fault}]);
  }
}

const fromFile = (stage: Stage, path: string, {closure, reads}: ImportedModule): Stage => ({
  ...stage,
  version: closure,
  origin: {from: 'file', path, closure, reads},
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
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return told(
    `The stage's "${issue.path.join('.')}" is not right: ${message}.`,
    'See "Adding your own stage" in the recipes.',
  );
}
