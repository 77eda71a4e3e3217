#include "product.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "product-block.h"
#include "product-tiles.h"
#include "thread-pool.h"

namespace basin {
namespace {

/*
 * The right operand is packed once, in panels of 64 columns that all tasks share. A task has some rows of the result and all its columns;
 * it walks the summed axis in blocks whose part of a panel stays in the second-level cache while all rows pass it, and adds to the
 * result block by block. The left operand is read where it lies, or packed by its task when it must be rounded.
 *
 * One thread on Zen 4, whose multipliers can do 117 GFLOP/s in float32 and 233 in bfloat16, with operands warm in the caches and for ViTs of
 * width 64 to 384: 2 to 11 % below that in float32, 6 to 25 % in bfloat16. Packing panels in each task was up to 5 % faster for
 * some weight gradients and up to a fifth slower elsewhere. Operands that come from memory cost more: the weight gradient of a
 * 192 × 192 layer then has 55 to 70 % of its speed, and other blockings gained nothing beyond the noise of a busy machine.
 */
constexpr int64_t INNER_BLOCK = 512;
constexpr int64_t MOST_TASK_ROWS = 96;
/** Tasks that few rows are still split into. */
constexpr int64_t FEWEST_TASKS = 8;

constexpr int64_t quotientUp(int64_t count, int64_t by) { return (count + by - 1) / by; }
constexpr int64_t roundUp(int64_t count, int64_t multiple) { return quotientUp(count, multiple) * multiple; }

/** Memory for words, on a cache line; kept by its thread, since pages that the system maps anew cost more than packing. */
class Room {
 public:
  float* of(int64_t words) {
    if (words > size_) {
      values_.reset(static_cast<float*>(std::aligned_alloc(64, roundUp(words * sizeof(float), 64))));
      size_ = values_ ? words : 0;
      if (!values_) throw std::bad_alloc();
    }
    return values_.get();
  }

 private:
  struct Free {
    void operator()(float* values) const { std::free(values); }
  };
  std::unique_ptr<float, Free> values_;
  int64_t size_ = 0;
};

template <class WordKind>
struct ByVectors {
  using Words = WordKind;
  static constexpr bool PACKS_LEFT = Words::PER_WORD > 1;
  static constexpr int64_t ROW_STEP = TILE_ROWS;
  void add(const LeftWords& left, const float* panel, int64_t words, const ResultBlock& to) {
    addProduct<Words>(left, panel, words, to);
  }
};

template <class Tiles>
struct ByTiles {
  using Words = PairWords;
  static constexpr bool PACKS_LEFT = true;
  static constexpr int64_t ROW_STEP = TILE_SQUARE;
  void add(const LeftWords& left, const float* panel, int64_t words, const ResultBlock& to) {
    addProductByTiles(tiles, left, panel, words, to);
  }
  Tiles tiles;
};

/** The operand from a place on. */
Operand from(const Operand& whole, int64_t outer, int64_t inner) {
  return {whole.values + outer * whole.outerStride + inner * whole.innerStride, whole.outerStride, whole.innerStride};
}

template <class By>
void multiplyBy(const Product& product) {
  using Words = typename By::Words;
  const auto [left, right, rows, columns, inner, result] = product;
  const int64_t panels = quotientUp(columns, PANEL), blocks = quotientUp(inner, INNER_BLOCK);
  constexpr int64_t blockWords = INNER_BLOCK / Words::PER_WORD;
  const int64_t panelSize = roundUp(quotientUp(inner, Words::PER_WORD), LANES) * PANEL;
  const auto widthOf = [&](int64_t panel) { return std::min(PANEL, columns - panel * PANEL); };
  const auto innerOf = [&](int64_t block) { return std::min(INNER_BLOCK, inner - block * INNER_BLOCK); };

  thread_local Room packedRight;
  float* const packed = packedRight.of(panels * panelSize);
  const auto part = [&](int64_t panel, int64_t block) { return packed + panel * panelSize + block * blockWords * PANEL; };
  inParallel(panels * blocks, [&](int64_t task) {
    const int64_t panel = task / blocks, block = task % blocks;
    pack<Words, Fastest::OUTER>(from(right, panel * PANEL, block * INNER_BLOCK), widthOf(panel), innerOf(block),
                                part(panel, block), PANEL);
  });

  const int64_t taskRows = std::min(MOST_TASK_ROWS, roundUp(quotientUp(rows, FEWEST_TASKS), By::ROW_STEP));
  inBlocks(rows, taskRows, [&](int64_t first, int64_t end) {
    thread_local Room packedLeft;
    By by;
    for (int64_t block = 0; block < blocks; block++) {
      const int64_t words = quotientUp(innerOf(block), Words::PER_WORD);
      const Operand unpacked = from(left, first, block * INNER_BLOCK);
      LeftWords rowsOfLeft{unpacked.values, unpacked.outerStride, unpacked.innerStride};
      if constexpr (By::PACKS_LEFT) {
        float* const room = packedLeft.of(MOST_TASK_ROWS * blockWords);
        rowsOfLeft = {room, blockWords, 1};
        pack<Words, Fastest::INNER>(unpacked, end - first, innerOf(block), room, blockWords);
      }
      for (int64_t panel = 0; panel < panels; panel++)
        by.add(rowsOfLeft, part(panel, block), words,
                {result + first * columns + panel * PANEL, columns, end - first, widthOf(panel), block > 0});
    }
  });
}

}  // namespace

void multiply(const Product& product, Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::SINGLE: return multiplyBy<ByVectors<SingleWords>>(product);
    case Arithmetic::PAIRS:
#ifdef __AMX_BF16__
      if (hasTiles()) return multiplyBy<ByTiles<MachineTiles>>(product);
#endif
      return multiplyBy<ByVectors<PairWords>>(product);
    case Arithmetic::PAIRS_BY_EMULATED_TILES: return multiplyBy<ByTiles<EmulatedTiles>>(product);
  }
}

}  // namespace basin
