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
 * Calls `rows(first, end, sums)` for every block of ROW_BLOCK rows with a zeroed vector of `width` floats to add into, and
 * then adds these vectors up, in the order of the blocks, into `total`.
 */
template <class Rows>
void withRowSums(int64_t count, int64_t width, float* total, const Rows& rows) {
  const int64_t blocks = (count + ROW_BLOCK - 1) / ROW_BLOCK;
  thread_local std::vector<float> kept;  // else the system maps and clears these pages at every call
  if (static_cast<int64_t>(kept.size()) < blocks * width) kept.resize(blocks * width);
  float* const partial = kept.data();
  inBlocks(count, ROW_BLOCK, [&](int64_t first, int64_t end) {
    float* const sums = partial + first / ROW_BLOCK * width;
    std::memset(sums, 0, width * sizeof(float));
    rows(first, end, sums);
  });
  alongRow(width, [&](int64_t column, int64_t lanes) {
    Floats sum{};
    for (int64_t block = 0; block < blocks; block++) sum += loadUpTo(partial + block * width + column, lanes);
    storeUpTo(total + column, sum, lanes);
  });
}

}  // namespace basin
