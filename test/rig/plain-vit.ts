/** A tensor by its values, row after row. */
type Tensors = Readonly<Record<string, {readonly values: ArrayLike<number>}>>;

/** Sizes as config.json of a HuggingFace ViT has them. */
interface Shape {
  readonly image_size: number;
  readonly patch_size: number;
  readonly num_channels: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly layer_norm_eps: number;
}

type Rows = readonly Float64Array[];

const range = (n: number): readonly number[] => Array.from({length: n}, (_, index) => index);
const sum = (values: ArrayLike<number>): number => {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index] ?? 0;
  return total;
};
const dot = (a: Float64Array, b: Float64Array): number => {
  let total = 0;
  for (let index = 0; index < a.length; index++) total += (a[index] ?? 0) * (b[index] ?? 0);
  return total;
};
const added = (a: Rows, b: Rows): Rows =>
  a.map((row, place) => row.map((value, index) => value + (b[place]?.[index] ?? 0)));

/** Abramowitz & Stegun 7.1.6, whose terms are all positive. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  let [term, total] = [size, 0];
  for (let n = 1; term > 1e-18 * total; n++) {
    total += term;
    term *= (2 * size * size) / (2 * n + 1);
  }
  return (Math.sign(x) * 2 * Math.exp(-size * size) * total) / Math.sqrt(Math.PI);
}

function softmax(scores: Float64Array): Float64Array {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** −log softmax(logits)[label]. */
export const plainLoss = (logits: Float64Array, label: number): number => -Math.log(softmax(logits)[label] ?? 0);

/**
 * The logits of `ViTForImageClassification` for one picture [C, S, S], in float64 and by plain loops: written from the formulas, so that it shares
 * nothing with what it is held against.
 */
export function plainVit(shape: Shape, tensors: Tensors, picture: ArrayLike<number>): Float64Array {
  const {image_size: side, patch_size: patch, num_channels: channels, hidden_size: width} = shape;
  const heads = shape.num_attention_heads;
  const values = (name: string): ArrayLike<number> => {
    const tensor = tensors[name];
    if (!tensor) throw new Error(`there is no ${name}`);
    return tensor.values;
  };
  const linear = (name: string, rows: Rows): Rows => {
    const weight = Float64Array.from(values(`${name}.weight`));
    const bias = Float64Array.from(values(`${name}.bias`));
    return rows.map((row) =>
      bias.map((start, output) => start + dot(weight.subarray(output * row.length, (output + 1) * row.length), row)),
    );
  };
  const norm = (name: string, rows: Rows): Rows => {
    const [gain, shift] = [values(`${name}.weight`), values(`${name}.bias`)];
    return rows.map((row) => {
      const mean = sum(row) / row.length;
      const deviation = Math.sqrt(sum(row.map((value) => (value - mean) ** 2)) / row.length + shape.layer_norm_eps);
      return row.map((value, index) => ((value - mean) / deviation) * (gain[index] ?? 0) + (shift[index] ?? 0));
    });
  };
  const attention = (block: string, rows: Rows): Rows => {
    const [q, k, v] = ['query', 'key', 'value'].map((name) => linear(`${block}.attention.attention.${name}`, rows));
    const size = width / heads;
    const context = rows.map(() => new Float64Array(width));
    for (const head of range(heads)) {
      const part = (all: Rows | undefined): Rows =>
        (all ?? []).map((row) => row.subarray(head * size, (head + 1) * size));
      const [keys, own] = [part(k), part(v)];
      part(q).forEach((query, place) => {
        const scores = Float64Array.from(keys, (key) => dot(key, query) / Math.sqrt(size));
        softmax(scores).forEach((share, from) => {
          own[from]?.forEach((value, index) => {
            const row = context[place];
            if (row) row[head * size + index] = (row[head * size + index] ?? 0) + share * value;
          });
        });
      });
    }
    return linear(`${block}.attention.output.dense`, context);
  };
  const along = side / patch;
  const cells = range(along * along).map((cell) =>
    Float64Array.from(range(channels * patch * patch), (index) => {
      const [channel, y, x] = [Math.floor(index / patch ** 2), Math.floor(index / patch) % patch, index % patch];
      const [top, left] = [Math.floor(cell / along) * patch, (cell % along) * patch];
      return picture[(channel * side + top + y) * side + left + x] ?? 0;
    }),
  );
  const tokens = [
    Float64Array.from(values('vit.embeddings.cls_token')),
    ...linear('vit.embeddings.patch_embeddings.projection', cells),
  ];
  const positions = Float64Array.from(values('vit.embeddings.position_embeddings'));
  let rows = added(
    tokens,
    tokens.map((_, place) => positions.subarray(place * width, (place + 1) * width)),
  );
  for (const layer of range(shape.num_hidden_layers)) {
    const block = `vit.encoder.layer.${layer}`;
    rows = added(rows, attention(block, norm(`${block}.layernorm_before`, rows)));
    const inner = linear(`${block}.intermediate.dense`, norm(`${block}.layernorm_after`, rows));
    const active = inner.map((row) => row.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2))));
    rows = added(rows, linear(`${block}.output.dense`, active));
  }
  return linear('classifier', norm('vit.layernorm', rows.slice(0, 1)))[0] ?? new Float64Array();
}
