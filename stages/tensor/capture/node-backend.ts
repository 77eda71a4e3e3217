import type {Tensor, TensorInfo} from '@tensorflow/tfjs';

/** A tensor as the addon knows it: a number that is never used twice. */
export type HandleId = number;

export interface HandleMetadata {
  readonly id: HandleId;
  readonly shape: number[];
  /** TensorFlow's number of the type. */
  readonly dtype: number;
}

/** An attribute of a TensorFlow operation; `type` is one of the binding's TF_ATTR_ numbers. */
export interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The functions of tfjs-node's addon through which everything passes that computes, uploads or reads back. */
export interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  createTensor(shape: readonly number[], dtype: number, values: ArrayBufferView): HandleId;
  deleteTensor(id: HandleId): void;
  tensorDataSync(id: HandleId): ArrayBufferView;
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly HandleId[],
    outputs: number,
  ): HandleMetadata[];
}

/** As much of tfjs-node's `NodeJSKernelBackend` as capturing uses. */
export interface NodeBackend {
  binding: Binding;
  getInputTensorIds(tensors: readonly Tensor[]): HandleId[];
  executeMultipleOutputs(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly TensorInfo[],
    outputs: number,
  ): Tensor[];
  /** Loads `saved_model.pb` of a folder into a session of its own. */
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(
    session: number,
    inputs: readonly Tensor[],
    names: readonly {readonly name: string}[],
    outputs: readonly string[],
  ): Tensor[];
  deleteSavedModel(session: number): void;
}

export function isNodeBackend(backend: object): backend is NodeBackend {
  return 'binding' in backend && 'getInputTensorIds' in backend && 'loadSavedModelMetaGraph' in backend;
}

/** Runs `work` with other functions in place of some of the addon's, whose own object cannot be written to. */
export function withBinding<T>(backend: NodeBackend, replaced: Partial<Binding>, work: () => T): T {
  const own = backend.binding;
  const copy: Record<string, unknown> = {};
  for (const name of Object.getOwnPropertyNames(own)) copy[name] = Reflect.get(own, name);
  backend.binding = {...own, ...copy, ...replaced};
  try {
    return work();
  } finally {
    backend.binding = own;
  }
}
