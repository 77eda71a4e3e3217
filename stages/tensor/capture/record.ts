import type {Tensor} from '@tensorflow/tfjs';
import type {Tf} from '../library.ts';
import {type Binding, type HandleId, type NodeBackend, withBinding} from './node-backend.ts';
import {
  CaptureError,
  type RecordedInput,
  type RecordedOperation,
  type Recording,
  type Source,
  type Upload,
} from './recording.ts';
import {isStandIn, StandIns} from './stand-ins.ts';

export type Tensors = Readonly<Record<string, Tensor>>;
/** A pure function of named tensors, static in shape. */
export type TensorFunction = (inputs: Tensors) => Tensors;

/**
 * Runs a function once, for the shapes alone, and writes down what it did.
 *
 * @throws CaptureError when it reads a value back, or uses a tensor that is not among its inputs: both would be frozen.
 */
export function record(tf: Tf, backend: NodeBackend, run: TensorFunction, inputs: Tensors): Recording {
  const own = backend.binding;
  const uploads: Upload[] = [];
  const operations: RecordedOperation[] = [];
  const sources = new Map<HandleId, Source>();
  for (const [name, tensor] of Object.entries(inputs))
    for (const id of backend.getInputTensorIds([tensor])) sources.set(id, {from: 'input', name});
  const standIns = new StandIns(own);
  try {
    const outputs = withBinding(
      backend,
      {
        createTensor(shape, dtype, values) {
          const id = own.createTensor(shape, dtype, values);
          const bytes = bytesOf(values);
          sources.set(id, {from: 'upload', index: uploads.length});
          standIns.constant(id, shape, dtype, bytes);
          uploads.push({shape: [...shape], dtype, bytes});
          return id;
        },
        deleteTensor(id) {
          if (!isStandIn(id)) own.deleteTensor(id);
        },
        tensorDataSync(id) {
          if (sources.get(id)?.from !== 'upload') throw readBack(operations.at(-1)?.name);
          return own.tensorDataSync(id);
        },
        executeOp(name, attributes, ids, count) {
          const read = ids.map((id) => sources.get(id) ?? strangeTensor(name));
          const results = standIns.execute(name, attributes, ids, count);
          const index = operations.length;
          operations.push({
            name,
            attributes,
            inputs: read,
            outputs: results.map(({shape, dtype}) => ({shape: [...shape], dtype})),
          });
          results.forEach(({id}, output) => {
            sources.set(id, {from: 'operation', index, output});
          });
          return results;
        },
      },
      () => {
        const found: Record<string, Source> = {};
        tf.tidy(() => {
          for (const [name, tensor] of Object.entries(run(inputs))) {
            const [id = Number.NaN] = backend.getInputTensorIds([tensor]);
            found[name] = sources.get(id) ?? strangeTensor(`output ${name}`);
          }
        });
        return found;
      },
    );
    return {inputs: recordedInputs(own, inputs), uploads, operations, outputs};
  } finally {
    standIns.release();
  }
}

const recordedInputs = (binding: Binding, inputs: Tensors): readonly RecordedInput[] =>
  Object.entries(inputs).map(([name, {shape, dtype}]) => ({
    name,
    shape: [...shape],
    dtype: typeNumber(binding, dtype),
  }));

function typeNumber(binding: Binding, dtype: string): number {
  switch (dtype) {
    case 'float32':
      return binding.TF_FLOAT;
    case 'int32':
      return binding.TF_INT32;
    case 'bool':
      return binding.TF_BOOL;
    default:
      throw new Error(`Internal error: a captured function takes no ${dtype}`);
  }
}

export const bytesOf = (values: ArrayBufferView): Uint8Array =>
  Uint8Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

export const readBack = (after: string | undefined): CaptureError =>
  new CaptureError(
    `A function to be captured reads a value back to JavaScript after ${after ?? 'its start'}; what follows would be frozen at its value now. Return the tensor, and read it outside.`,
  );

function strangeTensor(user: string): never {
  throw new CaptureError(
    `${user} uses a tensor that is not among the inputs of the captured function; its value would be frozen. Hand it in as an input.`,
  );
}
