import {fail, ok, type Result} from '../base/result.ts';
import {Faults} from '../spec/faults.ts';
import {draftSpec, type PipelineText} from '../spec/read-spec.ts';
import type {Registry} from '../stage/define-stage.ts';
import {draftGraph} from './build-graph.ts';
import type {Graph} from './graph.ts';

/** From a file's text to a checked graph; the faults of reading and of building are reported together, in file order. */
export function readPipeline(input: PipelineText, registry: Registry): Result<Graph> {
  const faults = new Faults();
  const spec = draftSpec(input, faults);
  const graph = spec && draftGraph(spec, registry, faults);
  if (graph && faults.none) return ok(graph);
  const start = (fault: (typeof faults.all)[number]): number =>
    fault.at?.source === spec?.source ? (fault.at?.span.start ?? -1) : -1;
  return fail(faults.all.toSorted((one, other) => start(one) - start(other)));
}
