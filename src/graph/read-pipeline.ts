import {fail, ok, type Result} from '../base/result.ts';
import {Faults} from '../spec/faults.ts';
import {draftSpec, type PipelineText} from '../spec/read-spec.ts';
import type {Spec} from '../spec/spec.ts';
import type {Registry} from '../stage/define-stage.ts';
import {draftGraph} from './build-graph.ts';
import {checkSpecifications} from './check-specifications.ts';
import type {Graph} from './graph.ts';
import {type LoadStage, loadStageFiles} from './stage-files.ts';

/** From a file's text to a checked graph; the faults of reading and of building are reported together, in file order. */
export function readPipeline(input: PipelineText, registry: Registry): Result<Graph> {
  const faults = new Faults();
  const spec = draftSpec(input, faults);
  return ended(spec, spec && draftGraph(spec, registry, faults), faults);
}

/** Like `readPipeline`, with the stages of the user's own files, which `load` imports, and with plots held to Vega-Lite. */
export async function readPipelineWithFiles(
  input: PipelineText,
  registry: Registry,
  load: LoadStage,
): Promise<Result<Graph>> {
  const faults = new Faults();
  const spec = draftSpec(input, faults);
  const files = spec && (await loadStageFiles(spec, load, faults));
  const graph = spec && draftGraph(spec, registry, faults, files);
  if (spec && graph) await checkSpecifications(spec, graph.plots, faults);
  return ended(spec, graph, faults);
}

function ended(spec: Spec | undefined, graph: Graph | undefined, faults: Faults): Result<Graph> {
  if (graph && faults.none) return ok(graph);
  const start = (fault: (typeof faults.all)[number]): number =>
    fault.at?.source === spec?.source ? (fault.at?.span.start ?? -1) : -1;
  return fail(faults.all.toSorted((one, other) => start(one) - start(other)));
}
