import {canonicalJson} from '../base/canonical-json.ts';
import type {Instance} from '../graph/graph.ts';

/**
 * Packs instances that are ready into jobs. A stage with `runMany` gets the points of a node that read the same inputs
 * together, in at most `workers` shares, so that what they have in common is loaded once a worker; others go alone.
 * The cache never sees this: each point has its own key.
 */
export function packJobs(ready: readonly Instance[], workers: number): readonly (readonly Instance[])[] {
  const jobs: Instance[][] = [];
  const families = new Map<string, Instance[]>();
  for (const instance of ready) {
    if (!instance.stage.checked.runMany) {
      jobs.push([instance]);
      continue;
    }
    const family = `${instance.node} ${canonicalJson(Object.values(instance.inputs).map((binding) => ({...binding})))}`;
    const members = families.get(family);
    if (members) members.push(instance);
    else families.set(family, [instance]);
  }
  for (const members of families.values()) jobs.push(...shares(members, workers));
  return jobs;
}

/** Fewest points that are worth loading everything once more for. */
const SMALLEST_SHARE = 2;

function shares(members: readonly Instance[], workers: number): readonly Instance[][] {
  const count = Math.max(1, Math.min(workers, Math.floor(members.length / SMALLEST_SHARE)));
  const size = Math.ceil(members.length / count);
  return Array.from({length: Math.ceil(members.length / size)}, (_, i) => members.slice(i * size, (i + 1) * size));
}
