import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import type {AskedArtifact} from '../plan/reads.ts';
import {findArtifact} from './find-artifact.ts';
import {findInstances, withUpstream} from './find-instance.ts';

/** What a run is asked for. */
export interface Wanted {
  /** Indices, with everything above. */
  readonly instances: ReadonlySet<number>;
  /** Whose files are to be there, also where their results are known without. */
  readonly artifacts: readonly AskedArtifact[];
}

/** Of a command that runs nothing and does not say what would run. */
export const NOTHING: Wanted = {instances: new Set(), artifacts: []};

/** What some names stand for, each a node, an instance or an artifact of one; everything, unless there are some. The error is every name that stands for nothing. */
export function findWanted(graph: Graph, names: readonly string[] | undefined): Result<Wanted> {
  if (!names) return ok({instances: new Set(graph.instances.keys()), artifacts: []});
  const found = names.map((name) => findOne(graph, name));
  const faults = found.flatMap((each) => (each.ok ? [] : each.error));
  if (faults.length > 0) return fail(faults);
  const all = found.flatMap((each) => (each.ok ? [each.value] : []));
  return ok({
    instances: withUpstream(
      graph,
      all.flatMap(({instances}) => instances),
    ),
    artifacts: all.flatMap(({instances, artifact}) =>
      artifact === undefined ? [] : instances.map(({index}) => ({index, artifact})),
    ),
  });
}

interface Found {
  readonly instances: readonly Instance[];
  readonly artifact?: string;
}

function findOne(graph: Graph, name: string): Result<Found> {
  const instances = findInstances(graph, name);
  if (instances.ok) return ok({instances: instances.value});
  const dot = name.lastIndexOf('.');
  const isArtifact = dot > name.lastIndexOf(']') && findInstances(graph, name.slice(0, dot)).ok;
  return isArtifact ? findArtifact(graph, name) : instances;
}
