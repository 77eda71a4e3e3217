import {suggestion} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {commandFault} from './faults.ts';
import {findInstances} from './find-instance.ts';

/** An artifact of one instance, or of all of a node. */
export interface FoundArtifact {
  readonly instances: readonly Instance[];
  readonly artifact: string;
}

/** `NODE.ARTIFACT` or `NODE[axis=0.5].ARTIFACT`: the artifact stands behind the last dot outside the brackets. */
export function findArtifact(graph: Graph, name: string): Result<FoundArtifact> {
  // a node of a pipeline that is used has a dot in its name
  const isNode = graph.nodes.some((node) => node.name === name);
  const dot = isNode ? -1 : name.lastIndexOf('.') > name.lastIndexOf(']') ? name.lastIndexOf('.') : -1;
  const owner = dot < 0 ? name : name.slice(0, dot);
  const found = findInstances(graph, owner);
  if (!found.ok) return found;
  const outputs = Object.keys(found.value[0]?.stage.outputs ?? {});
  if (dot < 0) {
    const choices = outputs.map((output) => `${owner}.${output}`).join(', ');
    return fail([commandFault(`"${name}" names no artifact.`, `The artifacts of ${owner} are: ${choices}.`)]);
  }
  const artifact = name.slice(dot + 1);
  if (!outputs.includes(artifact)) {
    const hint = suggestion(artifact, outputs, `artifacts of ${owner}`);
    return fail([commandFault(`${owner} has no artifact "${artifact}".`, hint)]);
  }
  return ok({instances: found.value, artifact});
}
