import type {Binding, OperationAttribute} from './node-backend.ts';
import {Message} from './protobuf.ts';
import type {RecordedOperation, Recording, Source, Upload} from './recording.ts';

/** Version of the graph format that TensorFlow 2.21 writes. */
const PRODUCER = 1882;
export const TAG = 'serve';

export const inputNode = (name: string): string => `in_${name}`;
export const outputNode = (name: string): string => `out_${name}`;

/** Field numbers of AttrValue. */
const ATTRIBUTE = {list: 1, text: 2, int: 3, float: 4, bool: 5, type: 6, shape: 7, tensor: 8} as const;

/**
 * The bytes of a `saved_model.pb` that does what was recorded: a placeholder for each input, a constant for each upload, a node for
 * each operation that an output needs, and an Identity for each output. TensorFlow's graph.proto, node_def.proto, attr_value.proto.
 */
export function savedModel(recording: Recording, binding: Binding): Uint8Array {
  const graph = new Message();
  const typeOf = (source: Source): number => {
    switch (source.from) {
      case 'input':
        return recording.inputs.find(({name}) => name === source.name)?.dtype ?? binding.TF_FLOAT;
      case 'upload':
        return recording.uploads[source.index]?.dtype ?? binding.TF_FLOAT;
      case 'operation':
        return recording.operations[source.index]?.outputs[source.output]?.dtype ?? binding.TF_FLOAT;
    }
  };
  const needed = neededOf(recording);
  for (const {name, shape, dtype} of recording.inputs)
    graph.message(1, node(inputNode(name), 'Placeholder', [], {dtype: typeValue(dtype), shape: shapeValue(shape)}));
  recording.uploads.forEach((upload, index) => {
    if (!needed.uploads.has(index)) return;
    const value = new Message().message(ATTRIBUTE.tensor, tensorProto(upload));
    graph.message(1, node(`const_${index}`, 'Const', [], {dtype: typeValue(upload.dtype), value}));
  });
  recording.operations.forEach((operation, index) => {
    if (!needed.operations.has(index)) return;
    const attributes = Object.fromEntries(
      operation.attributes.map((attribute) => [attribute.name, attributeValue(attribute, binding)]),
    );
    const [first] = operation.inputs;
    // eager execution infers what this kernel of tfjs-node leaves out; a graph does not
    if (operation.name === 'ExpandDims' && first && !attributes.T) attributes.T = typeValue(typeOf(first));
    graph.message(1, node(`op_${index}`, operation.name, operation.inputs.map(reference), attributes));
  });
  for (const [name, source] of Object.entries(recording.outputs))
    graph.message(1, node(outputNode(name), 'Identity', [reference(source)], {T: typeValue(typeOf(source))}));
  graph.message(4, new Message().int(1, PRODUCER));
  const meta = new Message().message(1, new Message().text(4, TAG)).message(2, graph);
  return new Message().int(1, 1).message(2, meta).finish();
}

/** What leads to an output; the rest of what was recorded serves nothing. */
function neededOf({operations, outputs}: Recording): {operations: ReadonlySet<number>; uploads: ReadonlySet<number>} {
  const needed = {operations: new Set<number>(), uploads: new Set<number>()};
  const open = Object.values(outputs);
  for (let source = open.pop(); source; source = open.pop()) {
    if (source.from === 'upload') needed.uploads.add(source.index);
    if (source.from !== 'operation' || needed.operations.has(source.index)) continue;
    needed.operations.add(source.index);
    open.push(...(operations[source.index]?.inputs ?? []));
  }
  return needed;
}

function reference(source: Source): string {
  switch (source.from) {
    case 'input':
      return inputNode(source.name);
    case 'upload':
      return `const_${source.index}`;
    case 'operation':
      return source.output === 0 ? `op_${source.index}` : `op_${source.index}:${source.output}`;
  }
}

function node(
  name: string,
  operation: RecordedOperation['name'],
  inputs: readonly string[],
  attributes: Readonly<Record<string, Message>>,
): Message {
  const message = new Message().text(1, name).text(2, operation);
  for (const input of inputs) message.text(3, input);
  for (const [key, value] of Object.entries(attributes))
    message.message(5, new Message().text(1, key).message(2, value));
  return message;
}

const typeValue = (dtype: number): Message => new Message().int(ATTRIBUTE.type, dtype);
const shapeValue = (shape: readonly number[]): Message => new Message().message(ATTRIBUTE.shape, shapeProto(shape));
const shapeProto = (shape: readonly number[]): Message =>
  shape.reduce((message, side) => message.message(2, new Message().int(1, side)), new Message());
const tensorProto = ({dtype, shape, bytes}: Upload): Message =>
  new Message().int(1, dtype).message(2, shapeProto(shape)).bytes(4, bytes);

function attributeValue({type, value, name}: OperationAttribute, binding: Binding): Message {
  const add = (message: Message, item: unknown): Message => {
    if (type === binding.TF_ATTR_TYPE) return message.int(ATTRIBUTE.type, Number(item));
    if (type === binding.TF_ATTR_INT) return message.int(ATTRIBUTE.int, Number(item));
    if (type === binding.TF_ATTR_BOOL) return message.int(ATTRIBUTE.bool, item ? 1 : 0);
    if (type === binding.TF_ATTR_FLOAT) return message.float(ATTRIBUTE.float, Number(item));
    if (type === binding.TF_ATTR_STRING) return message.text(ATTRIBUTE.text, String(item));
    if (type === binding.TF_ATTR_SHAPE && Array.isArray(item))
      return message.message(ATTRIBUTE.shape, shapeProto(item.map(Number)));
    throw new Error(`Internal error: attribute ${name} is of a type that no graph holds`);
  };
  const list = Array.isArray(value) && type !== binding.TF_ATTR_SHAPE;
  if (!list) return add(new Message(), value);
  return new Message().message(ATTRIBUTE.list, value.reduce(add, new Message()));
}
