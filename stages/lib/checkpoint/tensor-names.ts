/** In-memory names of transformers 5 and the on-disk names of both versions that they stand for. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^vit\.layers\./, 'vit.encoder.layer.'],
  [/\.attention\.q_proj\./, '.attention.attention.query.'],
  [/\.attention\.k_proj\./, '.attention.attention.key.'],
  [/\.attention\.v_proj\./, '.attention.attention.value.'],
  [/\.attention\.o_proj\./, '.attention.output.dense.'],
  [/\.mlp\.fc1\./, '.intermediate.dense.'],
  [/\.mlp\.fc2\./, '.output.dense.'],
];

/** What a bare `ViTModel` calls its parts. */
const WITHOUT_PREFIX = /^(embeddings|encoder|layers|layernorm|pooler)\./;

/** Tensors of other heads that a ViT checkpoint may carry and that classification does not use. */
const UNUSED = /^vit\.(pooler\.|embeddings\.mask_token$)/;

/**
 * The name that ViTForImageClassification has on disk for a tensor, or nothing when classification does not use it. A bare
 * `ViTModel` (such as google/vit-base-patch16-224-in21k) has no `vit.` before its names.
 */
export function vitTensorName(name: string): string | undefined {
  const whole = WITHOUT_PREFIX.test(name) ? `vit.${name}` : name;
  if (UNUSED.test(whole)) return undefined;
  return RENAMED.reduce((text, [from, to]) => text.replace(from, to), whole);
}
