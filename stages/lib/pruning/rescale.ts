import type {Tensor1D} from '@tensorflow/tfjs';
import type {StageServices} from '../../../src/stage/define-stage.ts';
import type {Precision} from '../../tensor/fused/product.ts';
import {parameterOf} from '../models/layers.ts';
import {blockRows} from '../models/vit.ts';
import type {VitConfig} from '../models/vit-config.ts';
import {blockNames} from '../models/vit-parameters.ts';
import {pictureTensor} from '../pictures/batch.ts';
import {split} from '../training/parameter-layout.ts';
import type {Task} from '../training/task.ts';
import {type RowSums, scalesOf} from './least-squares.ts';
import {bitsOf, zeroed} from './masks.ts';
import {type Sampling, sampledBatches} from './sampled-batches.ts';
import type {StructuredMask} from './structured-search.ts';
import {weightMask} from './structured-vit.ts';

/** What is scaled: the heads, or the neurons, of one block. */
interface Part {
  readonly layer: number;
  readonly kind: 'heads' | 'neurons';
}

interface Networks {
  readonly student: Tensor1D;
  readonly teacher: Tensor1D;
}

type Work = {
  readonly task: Task;
  readonly config: VitConfig;
  readonly precision: Precision;
  readonly sampling: Sampling;
};

const masked = ({layout, start}: Task, config: VitConfig, mask: StructuredMask): Float32Array =>
  zeroed(start, bitsOf(layout, weightMask(config, mask)));

/** The linear layer whose columns belong to heads or neurons. */
const layerOf = ({layer, kind}: Part): string =>
  kind === 'heads' ? blockNames(layer).attentionOutput : blockNames(layer).output;

/**
 * What the student's layer reads, and what it should give so that the residual stream after it is the teacher's: the biases of both are the same, and
 * streams that differ before it are made up for.
 */
async function rowSums(
  work: Work,
  part: Part,
  {student, teacher}: Networks,
  services: StageServices,
): Promise<RowSums> {
  const {task, config, precision, sampling} = work;
  const {tf} = services;
  const [width, columns] = [config.hidden_size, part.kind === 'heads' ? config.hidden_size : config.intermediate_size];
  const gram = new Float64Array(columns * columns);
  const wanted = new Float64Array(width * columns);
  const inputs = new Float64Array(columns);
  const sums = new Float64Array(2);
  const addTo = (into: Float64Array, values: ArrayLike<number>): void => {
    for (let index = 0; index < into.length; index++) into[index] = (into[index] ?? 0) + (values[index] ?? 0);
  };
  for await (const {n, ...buffer} of sampledBatches(task, sampling, services)) {
    const found = tf.tidy(() => {
      const pictures = pictureTensor(tf, buffer, task.preprocessing, n);
      const [own, other] = [student, teacher].map((flat) => {
        const parameters = split(tf, task.layout, flat);
        return {parameters, rows: blockRows({tf, config, precision}, parameters, pictures, part.layer)};
      });
      if (!own || !other) throw new Error('Internal error: two networks, of which one is missing');
      const bias = parameterOf(own.parameters, `${layerOf(part)}.bias`);
      const [x, after, before] =
        part.kind === 'heads'
          ? [own.rows.context, other.rows.attended, own.rows.before]
          : [own.rows.neurons, other.rows.after, own.rows.attended];
      const target = tf.sub(tf.sub(after, bias), before);
      const read = x.as2D(-1, columns);
      return {
        gram: tf.matMul(read, read, true),
        wanted: tf.matMul(target.as2D(-1, width), read, true),
        inputs: tf.sum(read, 0),
        total: tf.sum(target),
        count: tf.scalar(read.shape[0]),
      };
    });
    // outside, as tidy looks for tensors in every number that it is given back
    addTo(gram, found.gram.dataSync<'float32'>());
    addTo(wanted, found.wanted.dataSync<'float32'>());
    addTo(inputs, found.inputs.dataSync<'float32'>());
    addTo(sums, [...found.count.dataSync<'float32'>(), ...found.total.dataSync<'float32'>()]);
    tf.dispose(Object.values(found));
  }
  const [rows = 0, total = 0] = sums;
  return {rows, gram, wanted, inputs, total};
}

/** The student's weights with the columns of one part scaled; undefined when there are no sound scales. */
async function scaled(
  work: Work,
  part: Part,
  flat: Float32Array,
  {teacher, mask}: {readonly teacher: Float32Array; readonly mask: StructuredMask},
  services: StageServices,
): Promise<Float32Array | undefined> {
  const {task, config} = work;
  const {tf} = services;
  const {hidden_size: width, num_attention_heads: heads, intermediate_size: inner} = config;
  const [columns, perLayer] = part.kind === 'heads' ? [width, heads] : [inner, inner];
  const own = mask[part.kind].subarray(part.layer * perLayer, (part.layer + 1) * perLayer);
  const places = new Map([...own.keys()].filter((unit) => own[unit] === 1).map((unit, place) => [unit, place]));
  if (places.size === 0) return flat;
  const unitOf = (column: number): number | undefined => places.get(Math.floor((column * perLayer) / columns));
  const name = `${layerOf(part)}.weight`;
  const entry = task.layout.entries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`Internal error: a vit without ${name}`);
  const weight = flat.subarray(entry.offset, entry.offset + entry.size);
  const networks = {student: tf.tensor1d(flat), teacher: tf.tensor1d(teacher)};
  try {
    const sums = await rowSums(work, part, networks, services);
    const product = tf.tidy(() => {
      const matrix = tf.tensor2d(weight, [width, columns]);
      return tf.matMul(matrix, matrix, true);
    });
    const ownGram = product.dataSync<'float32'>();
    product.dispose();
    const scales = scalesOf({weight, ownGram, columns, unitOf, units: places.size}, sums, part.kind === 'heads');
    if (!scales) return undefined;
    const result = flat.slice();
    for (let index = 0; index < weight.length; index++) {
      const unit = unitOf(index % columns);
      if (unit !== undefined) result[entry.offset + index] = (weight[index] ?? 0) * (scales[unit] ?? 1);
    }
    return result;
  } finally {
    tf.dispose([networks.student, networks.teacher]);
  }
}

/**
 * The pruned network with what stays rescaled, block by block, so that each comes as near as it can to that of a teacher, which is pruned
 * less; the heads of the first block stay as they are (Kwon et al. 2022, §4.3, and its code). Where there are no sound scales it ends there.
 */
export async function rescale(
  work: Work,
  {student, teacher}: {readonly student: StructuredMask; readonly teacher: StructuredMask},
  services: StageServices,
): Promise<Float32Array> {
  const {task, config} = work;
  const towards = {teacher: masked(task, config, teacher), mask: student};
  const parts = Array.from({length: config.num_hidden_layers}, (_, layer): Part[] => [
    ...(layer > 0 ? [{layer, kind: 'heads'} as const] : []),
    {layer, kind: 'neurons'},
  ]).flat();
  let flat = masked(task, config, student);
  for (const [place, part] of parts.entries()) {
    const next = await scaled(work, part, flat, towards, services);
    if (!next) {
      services.log(`No sound scales for the ${part.kind} of block ${part.layer}: it and what follows stay unscaled.`);
      break;
    }
    flat = next;
    services.progress({step: place + 1, steps: parts.length, note: `block ${part.layer}, ${part.kind}`});
  }
  return flat;
}
