import type {Tf} from '../library.ts';
import {replaceBatchMatMul} from './batch-mat-mul.ts';
import {addConv2dBackpropFilter} from './conv2d-backprop-filter.ts';
import {replaceConv2dBackpropInput} from './conv2d-backprop-input.ts';
import {replaceFusedMatMul} from './fused-mat-mul.ts';
import {replaceIdentity} from './identity.ts';
import {loadedWasm} from './kernel.ts';
import {matrixProducts} from './matrix-product.ts';
import {replaceSplit} from './split.ts';
import {replaceSum} from './sum.ts';

/**
 * Puts our kernels in the place of those of the loaded wasm back end that are wrong or slow, and one that it lacks. What any of them computes
 * is a part of the back end's numerics: raise its number in versions.ts when that changes.
 */
export function replaceKernels(tf: Tf): void {
  const products = matrixProducts(loadedWasm(tf));
  replaceBatchMatMul(tf, products);
  replaceFusedMatMul(tf); // after the product, of which it is made
  replaceSum(tf, products);
  replaceSplit(tf);
  replaceIdentity(tf);
  addConv2dBackpropFilter(tf, products);
  replaceConv2dBackpropInput(tf, products);
}
