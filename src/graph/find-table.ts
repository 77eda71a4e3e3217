import {axisColumns} from '../artifact/axis-columns.ts';
import {type Columns, declaredColumns, isTableKind, TABLE_KINDS} from '../artifact/kinds.ts';
import type {Faults} from '../spec/faults.ts';
import type {Reference, Spec} from '../spec/spec.ts';
import {findOutput} from './check-node.ts';
import type {Source} from './node-axes.ts';
import type {PipelineStages} from './pipeline-stages.ts';

export interface FoundTable {
  readonly columns: Columns;
  /** Those of the artifact and the axes of its node; unknown while the node has a fault. */
  readonly names: readonly string[] | undefined;
}

/** The table that is meant; else undefined, with a fault that says what it `lacks` rows for unless its node has one. */
export function findTable(
  of: Reference,
  use: {readonly code: string; readonly lacks: string},
  spec: Spec,
  stages: PipelineStages,
  sources: ReadonlyMap<string, Source>,
  faults: Faults,
): FoundTable | undefined {
  const output = findOutput(of, spec, stages, faults);
  if (!output) return undefined;
  if (!isTableKind(output.kind)) {
    const message = `"${of.node}.${of.artifact}" is ${output.kind}, which has no rows ${use.lacks}.`;
    const hint = `Name a table: ${TABLE_KINDS.slice(0, -1).join(', ')} or ${TABLE_KINDS.at(-1)}.`;
    faults.add(use.code, of.at, message, hint);
    return undefined;
  }
  const columns = declaredColumns(output);
  const own = Object.keys(columns);
  const axes = sources.get(of.node)?.axes;
  return {columns, names: axes && [...own, ...axisColumns(axes, own).values()]};
}
