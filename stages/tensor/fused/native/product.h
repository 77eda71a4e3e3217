// Matrix products with their own blocking.
#pragma once
#include <cstdint>

#include "product-words.h"

namespace basin {

/** result [rows, columns] = Σ over `inner` of left (row, inner) · right (column, inner). */
struct Product {
  Operand left, right;
  int64_t rows, columns, inner;
  float* result;
};

enum class Arithmetic {
  /** float32 throughout. */
  SINGLE,
  /** Operands rounded to bfloat16, sums in float32, by the fastest unit that the processor has. */
  PAIRS,
  /** The same by the code for matrix tiles, with the tiles in memory: tests it where there are none. */
  PAIRS_BY_EMULATED_TILES,
};

/** Computes a product; same bytes for any number of threads. */
void multiply(const Product&, Arithmetic);

}  // namespace basin
