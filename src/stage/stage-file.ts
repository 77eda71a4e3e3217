import {z} from 'zod';
import {ARTIFACT_KINDS, COLUMN_TYPES} from '../artifact/kinds.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Digest} from '../base/digest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Stage} from './define-stage.ts';
import {importFault, sourceOf} from './import-fault.ts';
import {importWithClosure} from './module-closure.ts';

const callable = z.custom((value) => typeof value === 'function', 'it must be a function');
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
    z.string(),
    artifact.extend({
      many: z.strictObject({over}).optional(),
      opens: z.boolean().optional(),
      optional: z.boolean().optional(),
    }),
  ),
  outputs: z.record(
    z.string(),
    artifact.extend({passes: z.string().optional(), when: z.string().optional(), named: z.string().optional()}),
  ),
  computes: z.enum(['tensors', 'plain']),
  sources: z.record(z.string(), callable),
  checkUpstream: callable.optional(),
  foresee: callable.optional(),
  run: callable,
  runMany: callable.optional(),
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
    const {exported, closure} = await importWithClosure(path, library);
    return isStage(exported) ? ok(fromFile(exported, path, closure)) : fail(noStage(exported, path));
  } catch (error) {
    const {isMissing, ...fault} = importFault(error, path);
    return fail([{code: isMissing ? 'no-stage-file' : 'bad-stage-file', ...fault}]);
  }
}

const fromFile = (stage: Stage, path: string, closure: Digest): Stage => ({
  ...stage,
  version: closure,
  origin: {from: 'file', path, closure},
});

const EXAMPLE = 'Write export default defineStage({…}), with import {defineStage} from "lossbasin".';

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
      `The stage's "${issue.path.join('.')}" is not right: ${issue.message}.`,
      'See "Adding your own stage" in the recipes.',
    ),
  );
}
