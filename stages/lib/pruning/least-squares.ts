import {lsmr, times} from './lsmr.ts';

/** Sums over the rows x [C] that a linear layer reads, and t [D] that it should give for them. */
export interface RowSums {
  readonly rows: number;
  /** Σ x xᵀ [C, C], Σ t xᵀ [D, C], Σ x [C], and the sum of all t. */
  readonly gram: Float64Array;
  readonly wanted: Float64Array;
  readonly inputs: Float64Array;
  readonly total: number;
}

/** A linear layer's weight [D, C] and its own product Wᵀ W [C, C]; columns of one unit are scaled together. */
export interface ScaledLayer {
  readonly weight: Float32Array;
  readonly ownGram: ArrayLike<number>;
  readonly columns: number;
  /** For each column the place of its unit among those that are scaled; undefined for a removed one. */
  readonly unitOf: (column: number) => number | undefined;
  readonly units: number;
}

/**
 * The normal equations of least Σ ‖Σ_u s_u W_u x_u (+ c) − t‖² in the units' scales s; with `constant` one number c for all outputs is the last unknown.
 * (W_u x_u)ᵀ(W_v x_v) is a sum over their columns of (Wᵀ W) ∘ (x xᵀ), so that no output is ever made.
 */
export function normalEquations(layer: ScaledLayer, sums: RowSums, constant: boolean) {
  const {weight, ownGram, columns, unitOf, units} = layer;
  const n = units + (constant ? 1 : 0);
  const outputs = weight.length / columns;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  const add = (into: Float64Array, place: number, value: number): void => {
    into[place] = (into[place] ?? 0) + value;
  };
  for (let column = 0; column < columns; column++) {
    const unit = unitOf(column);
    if (unit === undefined) continue;
    for (let other = 0; other < columns; other++) {
      const second = unitOf(other);
      const place = column * columns + other;
      if (second !== undefined) add(matrix, unit * n + second, (ownGram[place] ?? 0) * (sums.gram[place] ?? 0));
    }
    let ofColumn = 0;
    for (let output = 0; output < outputs; output++) {
      const value = weight[output * columns + column] ?? 0;
      ofColumn += value;
      add(right, unit, value * (sums.wanted[output * columns + column] ?? 0));
    }
    if (!constant) continue;
    const shared = ofColumn * (sums.inputs[column] ?? 0);
    add(matrix, unit * n + units, shared);
    add(matrix, units * n + unit, shared);
  }
  if (constant) {
    matrix[n * n - 1] = sums.rows * outputs;
    right[units] = sums.total;
  }
  return {matrix, right};
}

/** Scales beyond this mean that the equations say nothing. */
const LARGEST_SCALE = 10;

/** Scales near 1 that solve the equations, damped by 1 (Kwon et al. 2022, §4.3, and its code); undefined when there are no sound ones. */
export function scalesOf(layer: ScaledLayer, sums: RowSums, constant: boolean): Float64Array | undefined {
  const {matrix, right} = normalEquations(layer, sums, constant);
  const ofOnes = times(matrix, new Float64Array(right.length).fill(1));
  const change = lsmr(
    matrix,
    right.map((value, index) => value - (ofOnes[index] ?? 0)),
    1,
  );
  const scales = change?.subarray(0, layer.units).map((value) => 1 + value);
  return scales?.every((scale) => Math.abs(scale) <= LARGEST_SCALE) ? scales : undefined;
}
