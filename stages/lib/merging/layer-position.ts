/** The first part of a name that is a number, as in `vit.encoder.layer.3.…`, or the one behind `fc` in an mlp. */
const LAYER = /(?:^|\.)(?:fc)?(\d+)(?=\.|$)/;

function layerOf(name: string): number | undefined {
  const [, number] = LAYER.exec(name) ?? [];
  return number === undefined ? undefined : Number(number);
}

/**
 * Where each tensor lies in the depth of its network, from 0 for the first layer to 1 for the last, evenly; the layer of a network that
 * has one is at 1, and what is in no layer (embeddings, the classifier) at 0, as in mergekit's `plan.py`.
 *
 * @param names tensors by their HuggingFace names.
 */
export function layerPositions(names: readonly string[]): ReadonlyMap<string, number> {
  const found = new Set(names.flatMap((name) => layerOf(name) ?? []));
  const rank = new Map([...found].sort((a, b) => a - b).map((layer, index) => [layer, index]));
  const last = rank.size - 1;
  return new Map(
    names.map((name) => {
      const place = rank.get(layerOf(name) ?? -1);
      return [name, place === undefined ? 0 : last === 0 ? 1 : place / last];
    }),
  );
}
