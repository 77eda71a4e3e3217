import {declaredColumns, isTableKind} from '../artifact/kinds.ts';
import type {InputSpec, NodeSpec, Spec} from '../spec/spec.ts';
import {commandStage} from '../stage/command-stage.ts';
import type {InputDeclaration, OutputDeclaration, Outputs, Registry, Stage} from '../stage/define-stage.ts';
import {type StageFiles, stageFileOf} from './stage-files.ts';

/** The stages that the nodes of a pipeline use. */
export interface PipelineStages {
  /** Whether it is told already why there is no stage. */
  isReported(node: NodeSpec): boolean;
  /** Nothing when there is no such node, or no such stage. */
  of(node: NodeSpec | undefined): Stage | undefined;
  /** Of the stages that `uses` can name. */
  readonly names: readonly string[];
}

/** Looks up the stages that are used, and makes one of each `run:` node. */
export function pipelineStages(spec: Spec, registry: Registry, files: StageFiles): PipelineStages {
  const named = (node: NodeSpec): Stage | undefined => {
    const path = stageFileOf(node);
    return path === undefined ? registry.get(node.uses?.name ?? '') : files.get(path);
  };
  const commands = new Map<NodeSpec, Stage>();
  for (const node of spec.nodes.values()) {
    if (!node.outputs) continue;
    const inputs = [...node.inputs.values()].map((input) => [input.name, commandInput(input, spec, named)] as const);
    commands.set(node, commandStage({inputs: Object.fromEntries(inputs), outputs: node.outputs}));
  }
  return {
    of: (node) => node && (commands.get(node) ?? named(node)),
    names: [...registry.keys()],
    isReported: (node) => files.has(stageFileOf(node) ?? ''),
  };
}

/** A program takes whatever its input's source gives. */
function commandInput(input: InputSpec, spec: Spec, named: (node: NodeSpec) => Stage | undefined): InputDeclaration {
  const source = input.from && spec.nodes.get(input.from.node);
  const outputs: Outputs = source?.outputs
    ? commandStage({inputs: {}, outputs: source.outputs}).outputs
    : ((source && named(source))?.outputs ?? {});
  const output = input.from && Object.hasOwn(outputs, input.from.artifact) ? outputs[input.from.artifact] : undefined;
  const gathers = input.over !== undefined && output !== undefined;
  const extension = gathers ? memberExtension(output) : output?.kind === 'file' ? output.extension : undefined;
  return {
    kind: output?.kind ?? 'file',
    doc: `The input "${input.name}".`,
    as: 'path',
    ...(extension !== undefined && {extension}),
    ...(gathers && {many: {over: []}}),
    ...(gathers && isTableKind(output.kind) && {columns: declaredColumns(output)}),
  };
}

/** Of gathered files, whose names a program sees; tables are gathered into one. */
function memberExtension({kind, extension}: OutputDeclaration): string | undefined {
  if (kind === 'file') return extension;
  return isTableKind(kind) ? undefined : 'arrow';
}
