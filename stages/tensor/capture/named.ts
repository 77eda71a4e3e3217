import type {Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import type {Tensors} from './record.ts';

// A tensor by name, as a captured function takes and gives them, with its rank told to the compiler.

const isScalar = (tensor: Tensor): tensor is Scalar => tensor.rank === 0;
const isVector = (tensor: Tensor): tensor is Tensor1D => tensor.rank === 1;
const isMatrix = (tensor: Tensor): tensor is Tensor2D => tensor.rank === 2;
const isBatch = (tensor: Tensor): tensor is Tensor4D => tensor.rank === 4;

export const scalarOf = (tensors: Tensors, name: string): Scalar => pick(tensors, name, isScalar);
export const vectorOf = (tensors: Tensors, name: string): Tensor1D => pick(tensors, name, isVector);
export const matrixOf = (tensors: Tensors, name: string): Tensor2D => pick(tensors, name, isMatrix);
export const batchOf = (tensors: Tensors, name: string): Tensor4D => pick(tensors, name, isBatch);

function pick<T extends Tensor>(tensors: Tensors, name: string, fits: (tensor: Tensor) => tensor is T): T {
  const tensor = tensors[name];
  if (!tensor) throw new Error(`Internal error: there is no tensor ${name} among ${Object.keys(tensors).join(', ')}`);
  const {shape} = tensor;
  if (!fits(tensor)) throw new Error(`Internal error: ${name} has shape [${shape}], which is of another rank`);
  return tensor;
}
