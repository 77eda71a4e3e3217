import fc from 'fast-check';
import {evaluate, type Model, type ModelNode} from './pipeline-model.ts';

/** What a node might be, before it is known what there is to take from. */
export interface Sketch {
  readonly kind: ModelNode['kind'];
  readonly form: ModelNode['form'];
  readonly number: number;
  readonly axes: readonly string[];
  readonly one: number;
  readonly other: number;
}

// Small, so that different inputs often give equal results, and what is only named by its axes is told apart by them.
export const small = fc.constantFrom(1, 1, 2, 3);

export const sketchOf = (
  kinds: readonly ModelNode['kind'][],
  forms: readonly ModelNode['form'][],
): fc.Arbitrary<Sketch> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    form: fc.constantFrom(...forms),
    number: small,
    axes: fc.subarray(['a', 'b'], {minLength: 0}),
    one: fc.nat(),
    other: fc.nat(),
  });

export const axisValues = fc.uniqueArray(fc.integer({min: 0, max: 5}), {minLength: 1, maxLength: 3});
export const modelAxes = fc.record({a: axisValues, b: axisValues, level: axisValues});

/** A node that takes from those before it; what cannot be as it is sketched becomes a number. */
function nodeOf({kind, form, number, axes, one, other}: Sketch, before: Model): ModelNode {
  const count = before.nodes.length;
  const [from, right] = [one % count, other % count];
  const known = Object.keys(evaluate(before)[from]?.[0]?.axes ?? {}).sort();
  if (kind === 'levels') return {kind, form, constant: number};
  if (kind === 'dice') return {kind, form, constant: number, axes};
  if (kind === 'at-most' && count > 0) return {kind, form, from, limit: number};
  // A row that is included cannot add a point to what a node takes from.
  if (kind === 'mod' && count > 0) return {kind, form: form === 'included' ? 'excluded' : form, from, by: number, axes};
  if (kind === 'add' && count > 0) return {kind, form, left: from, right};
  if (kind === 'sum' && count > 0 && known.length > 0)
    return {kind, form, from, over: known.slice(other % known.length)};
  return {kind: 'number', form, constant: number, axes};
}

export function modelOf(sketches: readonly Sketch[], axes: Model['axes'], prefix: string): Model {
  const nodes: ModelNode[] = [];
  for (const next of sketches) {
    const node = nodeOf(next, {prefix, axes, nodes});
    // A join of which nothing is left is a fault of the pipeline.
    const isThere = evaluate({prefix, axes, nodes: [...nodes, node]}).at(-1)?.length !== 0;
    nodes.push(isThere ? node : {kind: 'number', form: 'short', constant: next.number, axes: []});
  }
  return {prefix, axes, nodes};
}
