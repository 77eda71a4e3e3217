import {isTableKind} from '../artifact/kinds.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import type {PipelinePlace} from '../store/pipeline-place.ts';
import type {Store} from '../store/store.ts';
import {lastFailures} from './last-failures.ts';

/**
 * Why some of these instances have no result, by id: a point that failed stands in the table of its sweep. The error is a sentence about one that there is
 * nothing to show of, because it has not run, or all failed, or what is asked for is no table.
 */
export async function failedPoints(
  store: Store,
  pipeline: PipelinePlace,
  members: readonly PlannedInstance[],
  artifact: string,
): Promise<Result<ReadonlyMap<string, string>, string>> {
  const missing = members.filter(({record}) => !record);
  const keys = new Map(missing.map(({instance, key}) => [String(instance.id), key]));
  const failures = await lastFailures(store.root, pipeline, keys);
  const output = members.find(({record}) => record)?.record?.outputs[artifact];
  const notRun = missing.find(({instance}) => !output || !isTableKind(output.kind) || !failures.has(instance.id));
  if (!notRun) return ok(failures);
  const why = failures.get(notRun.instance.id);
  return fail(
    `${notRun.instance.id} has not run as the pipeline is now.${why === undefined ? '' : ` When it was last tried: ${why}`}`,
  );
}
