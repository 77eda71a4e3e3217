import type {Columns} from '../artifact/kinds.ts';
import {placeInCondition} from '../spec/condition.ts';
import {compileCondition} from '../spec/expression.ts';
import type {Faults} from '../spec/faults.ts';
import type {ConditionSpec, ExpectationSpec, Spec} from '../spec/spec.ts';
import {findTable} from './find-table.ts';
import type {Expectation} from './graph.ts';
import type {Source} from './node-axes.ts';
import type {PipelineStages} from './pipeline-stages.ts';

/** The expectations whose table and columns exist. Axes of a node are columns too, unless it has a fault. */
export function checkExpectations(
  spec: Spec,
  stages: PipelineStages,
  sources: ReadonlyMap<string, Source>,
  faults: Faults,
): readonly Expectation[] {
  return spec.expectations.flatMap((expectation) => checkExpectation(expectation, spec, stages, sources, faults) ?? []);
}

function checkExpectation(
  {of, where, that, at}: ExpectationSpec,
  spec: Spec,
  stages: PipelineStages,
  sources: ReadonlyMap<string, Source>,
  faults: Faults,
): Expectation | undefined {
  const use = {code: 'bad-expectation', lacks: 'to hold to a condition'};
  const table = findTable(of, use, spec, stages, sources, faults);
  if (!table) return undefined;
  for (const condition of [where, that]) {
    // Without the node's axes an unknown column may be one of them.
    if (condition && table.names) checkCondition(condition, table.names, table.columns, faults);
  }
  return {node: of.node, artifact: of.artifact, where: where?.text, that: that.text, span: at.span};
}

function checkCondition(condition: ConditionSpec, names: readonly string[], columns: Columns, faults: Faults): void {
  const compiled = compileCondition(condition.text, names, columns);
  if (compiled.ok) return;
  const {message, hint, span} = compiled.error;
  faults.add('bad-expectation', placeInCondition(condition, span), message, hint);
}
