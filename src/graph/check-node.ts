import {withNamed} from '../artifact/kinds.ts';
import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {InputSpec, Named, NodeSpec, Reference, Spec} from '../spec/spec.ts';
import type {Tree} from '../spec/tree.ts';
import type {InputDeclaration, OutputDeclaration, Stage} from '../stage/define-stage.ts';
import {type FixedParameter, fixedParameters} from './fixed-parameters.ts';
import type {PipelineStages} from './pipeline-stages.ts';
import {canLoop} from './previous.ts';

/** An input whose source exists and gives the right kind. */
export interface Edge {
  readonly input: InputSpec;
  readonly from: Reference;
  readonly declaration: InputDeclaration;
}

/** An input that the node's own earlier point along an axis gives. */
export interface Loop extends Edge {
  readonly axis: Named;
}

/** A node whose names are looked up. */
export interface CheckedNode {
  readonly spec: NodeSpec;
  readonly stage: Stage;
  /** Parameters that decide what it gives. */
  readonly fixed: readonly FixedParameter[];
  /** In the order in which the stage declares its inputs. */
  readonly edges: readonly Edge[];
  /** Inputs that come from the node's own earlier point. */
  readonly loops: readonly Loop[];
  /** Some input is missing or wrong, so that the node's axes are not known. */
  readonly incomplete: boolean;
}

/** Finds the stage of a node, and the source of each of its inputs. Undefined when the stage is not known. */
export function checkNode(node: NodeSpec, spec: Spec, stages: PipelineStages, faults: Faults): CheckedNode | undefined {
  if (!node.uses) return undefined;
  const stage = stages.of(node);
  if (!stage) {
    if (stages.isReported(node)) return undefined;
    const hint = suggestion(node.uses.name, stages.names, 'stages');
    faults.add('unknown-stage', node.uses.at, `There is no stage "${node.uses.name}".`, hint);
    return undefined;
  }
  for (const {name, keyAt} of node.inputs.values()) {
    if (Object.hasOwn(stage.inputs, name)) continue;
    const hint = suggestion(name, Object.keys(stage.inputs), `inputs of "${stage.name}"`);
    faults.add('unknown-input', keyAt, `The stage "${stage.name}" has no input "${name}".`, hint);
  }
  const wired = wiredStage(stage, node);
  const edges: Edge[] = [];
  const loops: Loop[] = [];
  let incomplete = node.incomplete;
  for (const [name, declaration] of Object.entries(stage.inputs)) {
    const input = node.inputs.get(name);
    if (!input) {
      if (declaration.optional || node.incomplete) continue;
      reportMissing(name, declaration, node, spec, stages, faults);
      incomplete = true;
      continue;
    }
    const from = input.from && checkSource(input.from, name, declaration, spec, stages, faults);
    const edge = from && {input, from, declaration};
    const axis = input.previous;
    if (edge && axis && canLoop(node, stage, edge, axis, faults)) loops.push({...edge, axis});
    else if (edge && !axis) edges.push(edge);
    else incomplete = true;
    if (input.over && !declaration.many) {
      const hint = 'Remove "over"; the node follows the axes of this input instead.';
      const at = input.over[0]?.at ?? input.keyAt;
      faults.add(
        'gather-without-axis',
        at,
        `The input "${name}" of "${stage.name}" takes one artifact and gathers over nothing.`,
        hint,
      );
    }
  }
  return {spec: node, stage: wired, fixed: fixedParameters(stage), edges, loops, incomplete};
}

/**
 * The stage with the outputs that it has in this node: what passes an input on is there where the input is, others when asked for; and with the
 * columns that the node names.
 */
function wiredStage(stage: Stage, node: NodeSpec): Stage {
  const outputs = Object.entries(stage.outputs);
  const there = outputs.filter(
    ([, {passes, when}]) =>
      (passes === undefined || node.inputs.has(passes)) && (when === undefined || isTrue(node.with.get(when)?.value)),
  );
  if (there.length === outputs.length && there.every(([, {named}]) => named === undefined)) return stage;
  const wired = there.map(([name, output]): [string, OutputDeclaration] => {
    const names = output.named === undefined ? [] : textsIn(node.with.get(output.named)?.value);
    return [name, names.length === 0 ? output : {...output, columns: withNamed(names, output.columns)}];
  });
  return {...stage, outputs: Object.fromEntries(wired)};
}

const textsIn = (value: Tree | undefined): readonly string[] =>
  value?.kind === 'list'
    ? value.items.flatMap((item) => (item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : []))
    : [];

const isTrue = (value: Tree | undefined): boolean => value?.kind === 'scalar' && value.value === true;

function reportMissing(
  name: string,
  {kind}: InputDeclaration,
  node: NodeSpec,
  spec: Spec,
  stages: PipelineStages,
  faults: Faults,
): void {
  const givers = [...spec.nodes.values()].flatMap((other) => {
    const outputs = other === node ? {} : (stages.of(other)?.outputs ?? {});
    return Object.entries(outputs).flatMap(([artifact, output]) =>
      output.kind === kind ? [`${other.name}.${artifact}`] : [],
    );
  });
  const hint =
    givers.length === 0
      ? `Add a node that gives ${kind}, and name it under "in".`
      : `Write in: {${name}: ${givers[0]}}.${givers.length > 1 ? ` What gives ${kind}: ${givers.slice(0, 6).join(', ')}.` : ''}`;
  faults.add('missing-input', node.at, `The node "${node.name}" lacks its input "${name}", of kind ${kind}.`, hint);
}

/** The reference, when its artifact exists and is of the right kind; else undefined, with a fault unless its node has one. */
function checkSource(
  from: Reference,
  input: string,
  declaration: InputDeclaration,
  spec: Spec,
  stages: PipelineStages,
  faults: Faults,
): Reference | undefined {
  const output = findOutput(from, spec, stages, faults);
  if (!output) return undefined;
  if (output.kind === declaration.kind) return from;
  const source = spec.nodes.get(from.node);
  const outputs = stages.of(source)?.outputs ?? {};
  const fitting = Object.entries(outputs).find(([, {kind}]) => kind === declaration.kind)?.[0];
  const hint = fitting
    ? `Use "${from.node}.${fitting}", which is of kind ${declaration.kind}.`
    : `"${from.node}" gives nothing of kind ${declaration.kind}.`;
  const message = `The input "${input}" takes ${declaration.kind}, but "${from.node}.${from.artifact}" is ${output.kind}.`;
  faults.add('wrong-kind', from.at, message, hint);
  return undefined;
}

/** The declaration of the artifact that is meant. */
export function findOutput(
  from: Reference,
  spec: Spec,
  stages: PipelineStages,
  faults: Faults,
): OutputDeclaration | undefined {
  const node = spec.nodes.get(from.node);
  if (!node) {
    if (spec.unread.some((name) => from.node.startsWith(`${name}.`))) return undefined;
    const hint = suggestion(from.node, spec.nodes.keys(), 'nodes');
    faults.add('unknown-node', from.at, `There is no node "${from.node}".`, hint);
    return undefined;
  }
  const stage = stages.of(node);
  if (!stage) return undefined;
  const {outputs} = wiredStage(stage, node);
  const output = Object.hasOwn(outputs, from.artifact) ? outputs[from.artifact] : undefined;
  if (!output) {
    const when = Object.hasOwn(stage.outputs, from.artifact) ? stage.outputs[from.artifact]?.when : undefined;
    const hint = when
      ? `Ask for it: with: {${when}: true}.`
      : suggestion(from.artifact, Object.keys(outputs), `artifacts of "${from.node}"`);
    faults.add('unknown-artifact', from.at, `The node "${from.node}" has no artifact "${from.artifact}".`, hint);
  }
  return output;
}
