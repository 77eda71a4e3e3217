import {z} from 'zod';
import {ARTIFACT_KINDS, COLUMN_TYPES} from '../artifact/kinds.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Stage} from './define-stage.ts';
import {importFault, sourceOf} from './import-fault.ts';
import {type ImportedModule, importWithClosure} from './module-closure.ts';

/** It becomes the name of a file, and stands behind a dot in `NODE.ARTIFACT`. */
const name = z.string().regex(/^[A-Za-z0-9_][\w-]*$/, 'a name has letters, digits, dashes and underscores');
const artifact = z.strictObject({
  kind: z.enum(ARTIFACT_KINDS),
  doc: z.string().optional(),
  as: z.literal('path').optional(),
  extension: z.string().optional(),
  columns: z.record(z.string(), z.enum(COLUMN_TYPES)).optional(),
});
const over = z.union([z.array(z.string()), z.literal('all')], 'it must be a list of names of axes, or "all"');
/** As much of a stage as a file can get wrong that no compiler has seen. */
const shape = z.looseObject({
  name: z.string().min(1),
  origin: z.looseObject({}),
  doc: z.string().optional(),
  params: z.custom((value) => value instanceof z.ZodType, 'it must be a zod schema; import {z} from "lossbasin"'),
  noop: z.record(z.string(), z.json()),
  inputs: z.record(
    name,
    artifact.extend({
      many: z.strictObject({over}).optional(),
      opens: z.boolean().optional(),
      optional: z.boolean().optional(),
    }),
  ),
  outputs: z.record(
    name,
    artifact.extend({
      passes: z.string().optional(),
      when: z.string().optional(),
      named: z.string().optional(),
      apart: z.array(z.string()).optional(),
    }),
  ),
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
    return isStage(exported) ? ok(fromFile(exported, path, imported)) : fail(noStage(exported, path));
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

/** Of a name that is none zod says only that, and beneath it why. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message;

/** All that is wrong with what a file exports by default. */
function noStage(found: unknown, path: string): readonly Diagnostic[] {
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
  if (found === undefined) return [told('This file exports no stage by default.', EXAMPLE)];
  const issues = shape.safeParse(found).error?.issues ?? [];
  if (issues.length === 0 || issues.some(({path}) => path.length === 0 || path[0] === 'origin'))
    return [told('What this file exports by default was not made by defineStage.', EXAMPLE)];
  return issues.map((issue) =>
    told(
      `The stage's "${issue.path.join('.')}" is not right: ${messageOf(issue)}.`,
      'See "Adding your own stage" in the recipes.',
    ),
  );
}
