// Products of matrices that lie in the caches: those inside attention.
#pragma once
#include "vector.h"

namespace basin {

/** Elements of the left factor, read one at a time: any two strides, so that a transposed one is the same call. */
struct Scattered {
  const float* values;
  int64_t rowStride, columnStride;
};

/** A matrix whose rows are contiguous, in whole vectors. */
template <class Value>
struct Rows {
  Value* values;
  int64_t stride;
};

namespace detail {

/** ROWS x VECTORS·16 of C, held in registers while k runs: each vector of B is used ROWS times, each element of A VECTORS times. */
template <int ROWS, int VECTORS, bool ADD>
inline void tile(int64_t depth, Scattered a, Rows<const float> b, Rows<float> c) {
  Floats sums[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int row = 0; row < ROWS; row++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sums[row][v] = ADD ? load(c.values + row * c.stride + v * LANES) : Floats{};
  for (int64_t k = 0; k < depth; k++) {
    const float* const right = b.values + k * b.stride;
    const float* const left = a.values + k * a.columnStride;
#pragma GCC unroll 8
    for (int row = 0; row < ROWS; row++) {
      const Floats element = all(left[row * a.rowStride]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; v++) sums[row][v] += element * load(right + v * LANES);
    }
  }
#pragma GCC unroll 8
  for (int row = 0; row < ROWS; row++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) store(c.values + row * c.stride + v * LANES, sums[row][v]);
}

template <int VECTORS, bool ADD>
void panel(int64_t rows, int64_t depth, Scattered a, Rows<const float> b, Rows<float> c) {
  // 6x4 or 5x5 sums, with the vectors of B, fill the 32 registers.
  constexpr int TALL = VECTORS == 5 ? 5 : 6;
  int64_t row = 0;
  const auto at = [&](int64_t first) {
    return Scattered{a.values + first * a.rowStride, a.rowStride, a.columnStride};
  };
  const auto to = [&](int64_t first) { return Rows<float>{c.values + first * c.stride, c.stride}; };
  for (; row + TALL <= rows; row += TALL) tile<TALL, VECTORS, ADD>(depth, at(row), b, to(row));
  switch (rows - row) {
    case 5: return tile<5, VECTORS, ADD>(depth, at(row), b, to(row));
    case 4: return tile<4, VECTORS, ADD>(depth, at(row), b, to(row));
    case 3: return tile<3, VECTORS, ADD>(depth, at(row), b, to(row));
    case 2: return tile<2, VECTORS, ADD>(depth, at(row), b, to(row));
    case 1: return tile<1, VECTORS, ADD>(depth, at(row), b, to(row));
  }
}

}  // namespace detail

/**
 * C = A·B, or C += A·B with ADD: A [rows, depth], B [depth, columns], columns a multiple of 16. Columns go in panels of up to five vectors, as
 * even as they come.
 */
template <bool ADD = false>
void smallProduct(int64_t rows, int64_t columns, int64_t depth, Scattered a, Rows<const float> b, Rows<float> c) {
  const int64_t vectors = columns / LANES;
  const int64_t panels = (vectors + 4) / 5;
  int64_t first = 0;
  for (int64_t index = 0; index < panels; index++) {
    const int64_t end = vectors * (index + 1) / panels;
    const Rows<const float> right{b.values + first * LANES, b.stride};
    const Rows<float> out{c.values + first * LANES, c.stride};
    switch (end - first) {
      case 5: detail::panel<5, ADD>(rows, depth, a, right, out); break;
      case 4: detail::panel<4, ADD>(rows, depth, a, right, out); break;
      case 3: detail::panel<3, ADD>(rows, depth, a, right, out); break;
      case 2: detail::panel<2, ADD>(rows, depth, a, right, out); break;
      case 1: detail::panel<1, ADD>(rows, depth, a, right, out); break;
    }
    first = end;
  }
}

}  // namespace basin
