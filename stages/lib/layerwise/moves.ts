import {permutation} from '../data/permutation.ts';
import {fillNormal} from '../random/normal.ts';
import type {Layer} from './layers.ts';

/** In which order a growing group takes its layers: from the input, from the output, drawn, or both ends before the middle. */
export const ORDERS = ['shallow', 'deep', 'random', 'minimal'] as const;

/** What is moved at a time, and how far. */
export type MoveSettings =
  | {readonly mode: 'layer'; readonly alpha: number}
  | {readonly mode: 'replacement'}
  | {readonly mode: 'cumulative'; readonly alpha: number; readonly order: Order}
  | {readonly mode: 'direction'; readonly alpha: number; readonly samples: number; readonly seed: number};
type Order = {readonly by: 'shallow' | 'deep' | 'minimal'} | {readonly by: 'random'; readonly seed: number};

/** A network in which a group of layers is not what the rest is. */
export interface Move {
  /** The layer that is moved; of a growing group the one that came last. */
  readonly layer: string;
  /** How many layers the group has. */
  readonly layers: number;
  /** Parameters in the group. */
  readonly size: number;
  /** L2 distance of the group in a from that in b. */
  readonly distance: number;
  /** Whose the other layers are; nobody's when all are moved. */
  readonly rest: 'a' | 'b' | '';
}

/** The name of the move in which the whole network is mixed. */
const ALL = '(all)';

/** (1 − α)·a + α·b in float32, rounded as tensors are; exact at 0 and 1. */
function mixInto(out: Float32Array, a: Float32Array, b: Float32Array, alpha: number, layer: Layer): void {
  const [left, right] = [Math.fround(1 - alpha), Math.fround(alpha)];
  for (const {offset, size} of layer.parts) {
    if (alpha === 0 || alpha === 1) {
      out.set((alpha === 0 ? a : b).subarray(offset, offset + size), offset);
      continue;
    }
    for (let index = offset; index < offset + size; index++) {
      out[index] = Math.fround(left * (a[index] ?? 0)) + Math.fround(right * (b[index] ?? 0));
    }
  }
}

/**
 * Every move with its network, the whole one mixed first where layers are mixed. The vector is one and the same, changed when the next one is
 * asked for. In mode `direction` a move comes as often as there are samples.
 */
export function* movesOf(
  a: Float32Array,
  b: Float32Array,
  layers: readonly Layer[],
  settings: MoveSettings,
): Generator<{readonly move: Move; readonly flat: Float32Array}> {
  if ('alpha' in settings && settings.mode !== 'direction') {
    const flat = new Float32Array(a.length);
    for (const layer of layers) mixInto(flat, a, b, settings.alpha, layer);
    yield {move: {...describe(a, b, layers), layer: ALL, layers: layers.length, rest: ''}, flat};
  }
  const ordered = settings.mode === 'cumulative' ? inOrder(layers, settings.order) : layers;
  // the source moves from the first network only
  for (const rest of settings.mode === 'direction' ? (['a'] as const) : (['a', 'b'] as const)) {
    const own = rest === 'a' ? a : b;
    const flat = own.slice();
    let group: readonly Layer[] = [];
    for (const layer of ordered) {
      group = settings.mode === 'cumulative' ? [...group, layer] : [layer];
      const move = {...describe(a, b, group), layer: layer.name, layers: group.length, rest};
      switch (settings.mode) {
        case 'direction':
          for (let sample = 0; sample < settings.samples; sample++) {
            moveAtRandom(flat, a, layer, settings.alpha * move.distance, settings.seed, sample);
            yield {move, flat};
          }
          break;
        case 'replacement':
          mixInto(flat, a, b, rest === 'a' ? 1 : 0, layer);
          yield {move, flat};
          break;
        case 'layer':
        case 'cumulative':
          mixInto(flat, a, b, settings.alpha, layer);
          yield {move, flat};
      }
      if (settings.mode !== 'cumulative') mixInto(flat, own, own, 0, layer);
    }
  }
}

/** How many networks `movesOf` gives. */
export function countMoves(layers: number, settings: MoveSettings): number {
  switch (settings.mode) {
    case 'direction':
      return layers * settings.samples;
    case 'replacement':
      return 2 * layers;
    case 'layer':
    case 'cumulative':
      return 1 + 2 * layers;
  }
}

function describe(a: Float32Array, b: Float32Array, group: readonly Layer[]): Pick<Move, 'size' | 'distance'> {
  let squares = 0;
  for (const {parts} of group) {
    for (const {offset, size} of parts) {
      for (let index = offset; index < offset + size; index++) squares += ((b[index] ?? 0) - (a[index] ?? 0)) ** 2;
    }
  }
  return {size: group.reduce((sum, {size}) => sum + size, 0), distance: Math.sqrt(squares)};
}

/** Sets a layer to a's, moved by `length` in a direction that is uniform on the sphere. */
function moveAtRandom(
  out: Float32Array,
  a: Float32Array,
  layer: Layer,
  length: number,
  seed: number,
  sample: number,
): void {
  const direction = new Float32Array(layer.size);
  // the layer's place in the vector is its own, so that its directions do not depend on how others are grouped
  fillNormal(direction, {seed, stream: 'direction', epoch: sample, sample: layer.parts[0]?.offset ?? 0}, 1);
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  let place = 0;
  for (const {offset, size} of layer.parts) {
    for (let index = offset; index < offset + size; index++) {
      out[index] = (a[index] ?? 0) + (length * (direction[place++] ?? 0)) / norm;
    }
  }
}

function inOrder(layers: readonly Layer[], order: Order): readonly Layer[] {
  switch (order.by) {
    case 'shallow':
      return layers;
    case 'deep':
      return layers.toReversed();
    case 'random':
      return [...permutation(layers.length, order.seed, 'layers', 0)].flatMap((place) => layers[place] ?? []);
    case 'minimal': {
      const front = layers.slice(0, 5);
      const back = layers.slice(Math.max(front.length, layers.length - 5));
      return [...front, ...back, ...layers.slice(front.length, layers.length - back.length)];
    }
  }
}
