// The innermost loops of a matrix product, on registers of 16 words.
#pragma once
#include <cstdint>

#include "product-words.h"

namespace basin {

/** Columns of the right operand that are packed together: [words][PANEL]. */
constexpr int64_t PANEL = 64;

/** Words of the left operand: word w of row r is at words[r · rowStride + w · wordStride]. */
struct LeftWords {
  const float* words;
  int64_t rowStride, wordStride;
};

/** A part of the result: rows of `columns` floats, `stride` apart; at most PANEL columns. */
struct ResultBlock {
  float* values;
  int64_t stride, rows, columns;
  /** Whether the product is added to what is there. */
  bool adds;
};

/** Rows of a register tile: 6 × 4 sums, 4 words of the panel and one of the left operand fill 29 of 32 registers. */
constexpr int TILE_ROWS = 6;

template <class Words, int ROWS, int VECTORS>
void addTile(const LeftWords& left, const float* panel, int64_t words, const ResultBlock& to) {
  Floats sums[ROWS][VECTORS];
  const int64_t lastLanes = to.columns - (VECTORS - 1) * LANES;
  const auto lanes = [&](int v) { return v == VECTORS - 1 ? lastLanes : static_cast<int64_t>(LANES); };
#pragma GCC unroll 6
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
      sums[r][v] = to.adds ? loadUpTo(to.values + r * to.stride + v * LANES, lanes(v)) : Floats{};
  for (int64_t w = 0; w < words; w++) {
    Floats right[VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) right[v] = load(panel + w * PANEL + v * LANES);
#pragma GCC unroll 6
    for (int r = 0; r < ROWS; r++) {
      const Floats word = all(left.words[r * left.rowStride + w * left.wordStride]);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) sums[r][v] = Words::multiplyAdd(sums[r][v], word, right[v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) storeUpTo(to.values + r * to.stride + v * LANES, sums[r][v], lanes(v));
}

template <class Words, int VECTORS, int ROWS = TILE_ROWS>
void addRows(const LeftWords& left, const float* panel, int64_t words, ResultBlock to) {
  LeftWords rows = left;
  for (; to.rows >= ROWS; to.rows -= ROWS) {
    addTile<Words, ROWS, VECTORS>(rows, panel, words, to);
    rows.words += ROWS * left.rowStride;
    to.values += ROWS * to.stride;
  }
  if constexpr (ROWS > 1) {
    if (to.rows > 0) addRows<Words, VECTORS, ROWS - 1>(rows, panel, words, to);
  }
}

/** Adds left · panel to a block of the result: every element is one chain of sums in the order of the summed axis. */
template <class Words>
void addProduct(const LeftWords& left, const float* panel, int64_t words, const ResultBlock& to) {
  switch ((to.columns + LANES - 1) / LANES) {
    case 1: return addRows<Words, 1>(left, panel, words, to);
    case 2: return addRows<Words, 2>(left, panel, words, to);
    case 3: return addRows<Words, 3>(left, panel, words, to);
    default: return addRows<Words, 4>(left, panel, words, to);
  }
}

}  // namespace basin
