import type {ParameterShape} from './model.ts';
import {tokensOf, type VitConfig} from './vit-config.ts';

type Role = Pick<ParameterShape, 'init' | 'scale' | 'prunable' | 'head'>;

/** Names of one transformer block as HuggingFace writes them to disk. */
export function blockNames(layer: number) {
  const block = `vit.encoder.layer.${layer}`;
  return {
    normBefore: `${block}.layernorm_before`,
    query: `${block}.attention.attention.query`,
    key: `${block}.attention.attention.key`,
    value: `${block}.attention.attention.value`,
    attentionOutput: `${block}.attention.output.dense`,
    normAfter: `${block}.layernorm_after`,
    intermediate: `${block}.intermediate.dense`,
    output: `${block}.output.dense`,
  } as const;
}

export const CLASS_TOKEN = 'vit.embeddings.cls_token';
export const POSITIONS = 'vit.embeddings.position_embeddings';
export const PATCHES = 'vit.embeddings.patch_embeddings.projection';
export const FINAL_NORM = 'vit.layernorm';
export const CLASSIFIER = 'classifier';

/** Every parameter of `ViTForImageClassification` with its shape, sorted by name. */
export function vitParameters(config: VitConfig): ParameterShape[] {
  const {hidden_size: width, intermediate_size: inner, patch_size: patch} = config;
  const random: Role = {init: 'normal', scale: config.initializer_range, prunable: false, head: false};
  const zeros: Role = {init: 'zeros', prunable: false, head: false};
  const linear = (name: string, shape: readonly number[], role: Role, bias = true): ParameterShape[] => [
    {name: `${name}.weight`, shape, ...role},
    ...(bias ? [{name: `${name}.bias`, shape: shape.slice(0, 1), ...zeros, head: role.head}] : []),
  ];
  const norm = (name: string): ParameterShape[] => [
    {name: `${name}.weight`, shape: [width], init: 'ones', prunable: false, head: false},
    {name: `${name}.bias`, shape: [width], ...zeros},
  ];
  const prunable: Role = {...random, prunable: true};
  const block = (layer: number): ParameterShape[] => {
    const names = blockNames(layer);
    return [
      ...norm(names.normBefore),
      ...[names.query, names.key, names.value].flatMap((name) =>
        linear(name, [width, width], prunable, config.qkv_bias),
      ),
      ...linear(names.attentionOutput, [width, width], prunable),
      ...norm(names.normAfter),
      ...linear(names.intermediate, [inner, width], prunable),
      ...linear(names.output, [width, inner], prunable),
    ];
  };
  return [
    {name: CLASS_TOKEN, shape: [1, 1, width], ...random},
    {name: POSITIONS, shape: [1, tokensOf(config), width], ...random},
    ...linear(PATCHES, [width, config.num_channels, patch, patch], random),
    ...Array.from({length: config.num_hidden_layers}, (_, layer) => block(layer)).flat(),
    ...norm(FINAL_NORM),
    ...linear(CLASSIFIER, [config.labels, width], {...random, head: true}),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
