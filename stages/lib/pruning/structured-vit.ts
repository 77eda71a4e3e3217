import type {Mask} from '../../../src/artifact/kinds.ts';
import {tokensOf, type VitConfig} from '../models/vit-config.ts';
import {blockNames} from '../models/vit-parameters.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';
import type {StructuredMask} from './structured-search.ts';

/** Multiply-accumulates of one head and one neuron of a block, for one picture. */
export function unitMacs(config: VitConfig): {readonly head: number; readonly neuron: number} {
  const {hidden_size: width, num_attention_heads: heads} = config;
  const [tokens, depth] = [tokensOf(config), width / heads];
  return {
    head: 3 * tokens * width * depth + 2 * tokens ** 2 * depth + tokens * depth * width,
    neuron: 2 * tokens * width,
  };
}

/**
 * Derivatives of the loss by the masks of all heads and neurons, at masks of 1, from those by the weights: a mask that multiplies an input of a linear layer
 * multiplies that column of its weight, so its derivative is Σ over the column of weight · gradient.
 */
export function unitGradients(
  config: VitConfig,
  layout: ParameterLayout,
  weights: Float32Array,
  gradient: Float32Array,
): {readonly heads: Float64Array; readonly neurons: Float64Array} {
  const {
    num_hidden_layers: layers,
    num_attention_heads: perLayer,
    intermediate_size: inner,
    hidden_size: width,
  } = config;
  const heads = new Float64Array(layers * perLayer);
  const neurons = new Float64Array(layers * inner);
  const offsets = new Map(layout.entries.map(({name, offset}) => [name, offset]));
  const addColumns = (name: string, columns: number, unitOf: (column: number) => number, into: Float64Array): void => {
    const offset = offsets.get(name);
    if (offset === undefined) throw new Error(`Internal error: a vit without ${name}`);
    for (let index = 0; index < width * columns; index++) {
      const unit = unitOf(index % columns);
      into[unit] = (into[unit] ?? 0) + (weights[offset + index] ?? 0) * (gradient[offset + index] ?? 0);
    }
  };
  for (let layer = 0; layer < layers; layer++) {
    const {attentionOutput, output} = blockNames(layer);
    const depth = width / perLayer;
    addColumns(`${attentionOutput}.weight`, width, (column) => layer * perLayer + Math.floor(column / depth), heads);
    addColumns(`${output}.weight`, inner, (column) => layer * inner + column, neurons);
  }
  return {heads, neurons};
}

/** The weight matrices' mask: rows that make a removed unit, and columns that read it. */
export function weightMask(config: VitConfig, {heads, neurons}: StructuredMask): Mask {
  const {
    num_hidden_layers: layers,
    num_attention_heads: perLayer,
    intermediate_size: inner,
    hidden_size: width,
  } = config;
  const depth = width / perLayer;
  const tensor = (name: string, shape: readonly [number, number], kept: (row: number, column: number) => number) => ({
    name: `${name}.weight`,
    shape,
    bits: Uint8Array.from({length: shape[0] * shape[1]}, (_, index) =>
      kept(Math.floor(index / shape[1]), index % shape[1]),
    ),
  });
  const tensors = Array.from({length: layers}, (_, layer) => {
    const names = blockNames(layer);
    const head = (place: number): number => heads[layer * perLayer + Math.floor(place / depth)] ?? 0;
    const neuron = (place: number): number => neurons[layer * inner + place] ?? 0;
    return [
      ...[names.query, names.key, names.value].map((name) => tensor(name, [width, width], head)),
      tensor(names.attentionOutput, [width, width], (_row, column) => head(column)),
      tensor(names.intermediate, [inner, width], neuron),
      tensor(names.output, [width, inner], (_row, column) => neuron(column)),
    ];
  }).flat();
  return {tensors: tensors.sort((a, b) => (a.name < b.name ? -1 : 1))};
}
