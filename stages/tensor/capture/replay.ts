import type {Tf} from '../library.ts';
import {type HandleId, type NodeBackend, type OperationAttribute, withBinding} from './node-backend.ts';
import {bytesOf, readBack, type TensorFunction} from './record.ts';
import {CaptureError, type Recording, type Source, sameSource, type Upload} from './recording.ts';
import {FIRST_STAND_IN, isStandIn} from './stand-ins.ts';

/** No operation of TensorFlow: what the function is given for its inputs. */
const INPUTS = 'the inputs';

/**
 * Runs the function again without computing anything, its inputs and every operation answered with the shapes they were recorded with, and compares:
 * what differs is a draw, a number or a branch that depends on something other than the inputs.
 *
 * @returns what differs, or nothing: a CaptureError, or what others made of one that passed through them.
 */
export function replay(tf: Tf, backend: NodeBackend, recording: Recording, run: TensorFunction): Error | undefined {
  const own = backend.binding;
  const sources = new Map<HandleId, Source>();
  let nextId = FIRST_STAND_IN;
  let uploaded = 0;
  let executed = 0;
  const fake = (source: Source): HandleId => {
    sources.set(nextId, source);
    return nextId++;
  };
  const differs = (what: string): never => {
    throw new CaptureError(
      `A captured function does another thing than when it was recorded: ${what}. What changes from call to call (a step, a rate, a draw) must be an input tensor.`,
    );
  };
  const userOf = (index: number): string => {
    const operation = recording.operations.find(({inputs: read}) =>
      read.some((source) => source.from === 'upload' && source.index === index),
    );
    return operation?.name ?? 'an output';
  };
  try {
    withBinding(
      backend,
      {
        createTensor(shape, dtype, values) {
          const index = uploaded++;
          const before = recording.uploads[index];
          const now = {shape: [...shape], dtype, bytes: bytesOf(values)};
          if (!before) return differs(`it makes a further constant, ${shownUpload(now, own.TF_FLOAT)}`);
          if (!sameUpload(before, now))
            differs(
              `the constant that ${userOf(index)} takes was ${shownUpload(before, own.TF_FLOAT)} and is ${shownUpload(now, own.TF_FLOAT)}`,
            );
          return fake({from: 'upload', index});
        },
        deleteTensor(id) {
          if (!isStandIn(id)) own.deleteTensor(id);
        },
        tensorDataSync(id) {
          const source = sources.get(id);
          const upload = source?.from === 'upload' ? recording.uploads[source.index] : undefined;
          if (!upload) throw readBack(recording.operations[executed - 1]?.name);
          const {buffer} = Uint8Array.from(upload.bytes);
          return upload.dtype === own.TF_FLOAT
            ? new Float32Array(buffer)
            : upload.dtype === own.TF_INT32
              ? new Int32Array(buffer)
              : new Uint8Array(buffer);
        },
        executeOp(name, attributes, ids) {
          if (name === INPUTS)
            return recording.inputs.map(({name: input, shape, dtype}) => ({
              id: fake({from: 'input', name: input}),
              shape: [...shape],
              dtype,
            }));
          const index = executed++;
          const before = recording.operations[index];
          if (!before) return differs(`it goes on with ${name} after its end`);
          if (before.name !== name) return differs(`operation ${index} was ${before.name} and is ${name}`);
          const attribute = differentAttribute(before.attributes, attributes);
          if (attribute !== undefined) return differs(`${name} has another ${attribute}`);
          const place = before.inputs.findIndex((source, at) => {
            const now = sources.get(ids[at] ?? Number.NaN);
            return now === undefined || !sameSource(source, now);
          });
          if (place >= 0 || ids.length !== before.inputs.length) return differs(`${name} takes another input ${place}`);
          return before.outputs.map(({shape, dtype}, output) => ({
            id: fake({from: 'operation', index, output}),
            shape: [...shape],
            dtype,
          }));
        },
      },
      () =>
        tf.tidy(() => {
          const given = backend.executeMultipleOutputs(INPUTS, [], [], recording.inputs.length);
          const outputs = run(
            Object.fromEntries(given.map((tensor, index) => [recording.inputs[index]?.name ?? '', tensor])),
          );
          for (const [name, tensor] of Object.entries(outputs)) {
            const before = recording.outputs[name];
            const [id = Number.NaN] = backend.getInputTensorIds([tensor]);
            const now = sources.get(id);
            if (!before || !now || !sameSource(before, now)) differs(`its output ${name} is another one`);
          }
          const missing = Object.keys(recording.outputs).find((name) => !(name in outputs));
          if (missing !== undefined) differs(`it gives no ${missing}`);
          if (executed < recording.operations.length)
            differs(`it ends before ${recording.operations[executed]?.name ?? 'its end'}`);
        }),
    );
    return undefined;
  } catch (error) {
    if (error instanceof Error && comesOfCapture(error)) return error;
    throw error;
  }
}

/** A user's model is told with its place in the file, by an error around this one. */
const comesOfCapture = (error: unknown): boolean =>
  error instanceof CaptureError || (error instanceof Error && comesOfCapture(error.cause));

function sameUpload(a: Upload, b: Upload): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape.length === b.shape.length &&
    a.shape.every((side, axis) => side === b.shape[axis]) &&
    a.bytes.length === b.bytes.length &&
    Buffer.compare(a.bytes, b.bytes) === 0
  );
}

const SHOWN = 4;
function shownUpload({shape, dtype, bytes}: Upload, float: number): string {
  const copy = Uint8Array.from(bytes);
  const values =
    dtype === float
      ? [...new Float32Array(copy.buffer)]
      : copy.length % 4 === 0
        ? [...new Int32Array(copy.buffer)]
        : [...copy];
  const some = values.slice(0, SHOWN).join(', ');
  return shape.length === 0 ? some : `[${shape.join(', ')}] of ${some}${values.length > SHOWN ? ', …' : ''}`;
}

function differentAttribute(
  before: readonly OperationAttribute[],
  now: readonly OperationAttribute[],
): string | undefined {
  if (before.length !== now.length) return 'number of attributes';
  return before.find((attribute, index) => {
    const other = now[index];
    return (
      other?.name !== attribute.name ||
      other.type !== attribute.type ||
      JSON.stringify(other.value) !== JSON.stringify(attribute.value)
    );
  })?.name;
}
