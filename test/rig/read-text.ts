import {formatDiagnostic} from '../../src/base/diagnostic.ts';
import type {Graph} from '../../src/graph/graph.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import type {Overrides} from '../../src/spec/overrides.ts';
import type {Registry} from '../../src/stage/define-stage.ts';
import {countingStages} from './counting-stages.ts';

/** The graph of a pipeline that is right; one that is not fails the test with its faults. */
export function graphOf(
  text: string | Uint8Array,
  overrides: Overrides = {},
  registry: Registry = countingStages,
): Graph {
  const result = readPipeline({path: 'pipelines/test.yaml', text, ...overrides}, registry);
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join('\n\n'));
  return result.value;
}

/** Every fault of a pipeline as a person reads it, a blank line between two; empty when there is none. */
export function faultsOf(
  text: string | Uint8Array,
  overrides: Overrides = {},
  registry: Registry = countingStages,
): string {
  const result = readPipeline({path: 'p.yaml', text, ...overrides}, registry);
  return result.ok ? '' : result.error.map(formatDiagnostic).join('\n\n');
}

/** The codes of a pipeline's faults, in the order in which they are shown. */
export function codesOf(text: string | Uint8Array, overrides: Overrides = {}): readonly string[] {
  const result = readPipeline({path: 'p.yaml', text, ...overrides}, countingStages);
  return result.ok ? [] : result.error.map(({code}) => code);
}

export const idsOf = (graph: Graph): readonly string[] => graph.instances.map(({id}) => id);

/** Each instance's parameters by its id. */
export const paramsOf = (graph: Graph): Readonly<Record<string, unknown>> =>
  Object.fromEntries(graph.instances.map(({id, params}) => [id, params]));
