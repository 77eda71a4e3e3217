// Sums over the rows of a matrix while its rows are computed, the same for any number of threads.
#pragma once
#include <cstdint>
#include <vector>

#include "thread-pool.h"
#include "vector.h"

namespace basin {

/** Rows that one task computes and one partial sum takes. */
constexpr int64_t ROW_BLOCK = 32;

/**
 * Calls `rows(first, end, sums)` for every block of `block` rows with zeroed vectors to add into, one of `width` floats for each total,
 * one after the other; then adds these up, in the order of the blocks, into the totals.
 */
template <size_t TOTALS, class Rows>
void withRowSums(int64_t count, int64_t width, float* const (&totals)[TOTALS], const Rows& rows,
                 int64_t block = ROW_BLOCK) {
  const int64_t blocks = (count + block - 1) / block;
  const int64_t stride = TOTALS * width;
  thread_local std::vector<float> kept;  // else the system maps and clears these pages at every call
  if (static_cast<int64_t>(kept.size()) < blocks * stride) kept.resize(blocks * stride);
  float* const partial = kept.data();
  inBlocks(count, block, [&](int64_t first, int64_t end) {
    float* const sums = partial + first / block * stride;
    std::memset(sums, 0, stride * sizeof(float));
    rows(first, end, sums);
  });
  for (size_t i = 0; i < TOTALS; i++)
    alongRow(width, [&](int64_t column, int64_t lanes) {
      Floats sum{};
      for (int64_t part = 0; part < blocks; part++) sum += loadUpTo(partial + part * stride + i * width + column, lanes);
      storeUpTo(totals[i] + column, sum, lanes);
    });
}

}  // namespace basin
