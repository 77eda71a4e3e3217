// The innermost loops of a product of bfloat16 on matrix tiles: 16 rows of 64 bytes each, which Intel's AMX multiplies in one instruction.
#pragma once
#include <cstdint>
#include <cstring>

#include "product-block.h"

#ifdef __AMX_BF16__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace basin {

constexpr int TILE_COUNT = 8;

/** Tiles in memory with the meaning that AMX gives them. */
class EmulatedTiles {
 public:
  template <int TILE>
  void zero() {
    std::memset(tiles_[TILE], 0, sizeof tiles_[TILE]);
  }
  /** 16 rows of 16 words, `stride` words apart. */
  template <int TILE>
  void load(const float* from, int64_t stride) {
    for (int row = 0; row < LANES; row++) tiles_[TILE][row] = basin::load(from + row * stride);
  }
  template <int TILE>
  void store(float* to, int64_t stride) {
    for (int row = 0; row < LANES; row++) basin::store(to + row * stride, tiles_[TILE][row]);
  }
  /** sums [16, 16] += left [16, 16 pairs] · right [16 pairs, 16] */
  template <int SUMS, int LEFT, int RIGHT>
  void multiplyAdd() {
    for (int row = 0; row < LANES; row++)
      for (int pair = 0; pair < LANES; pair++)
        tiles_[SUMS][row] =
            PairWords::multiplyAddInSoftware(tiles_[SUMS][row], all(tiles_[LEFT][row][pair]), tiles_[RIGHT][pair]);
  }

 private:
  Floats tiles_[TILE_COUNT][LANES];
};

#ifdef __AMX_BF16__
/** What AMX is told of its tiles: all eight have 16 rows of 64 bytes. */
struct TileConfiguration {
  uint8_t palette, startRow, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};
/** Not on the stack: GCC 12 takes the instruction to read only its first bytes. */
alignas(64) constexpr TileConfiguration TILE_CONFIGURATION = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/**
 * The processor's tiles, configured while an object lives: others in this process configure them for themselves. GCC's own words for
 * the instructions take the number of a tile as a literal only.
 */
class MachineTiles {
 public:
  MachineTiles() { _tile_loadconfig(&TILE_CONFIGURATION); }
  MachineTiles(const MachineTiles&) = delete;
  ~MachineTiles() { _tile_release(); }
  template <int TILE>
  void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(TILE));
  }
  template <int TILE>
  void load(const float* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride * sizeof(float)), "i"(TILE) : "memory");
  }
  template <int TILE>
  void store(float* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride * sizeof(float)), "i"(TILE) : "memory");
  }
  template <int SUMS, int LEFT, int RIGHT>
  void multiplyAdd() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(SUMS), "i"(LEFT), "i"(RIGHT));
  }
};

/** Whether the system lets this process use the tiles; asked once for all its threads (Linux, ARCH_REQ_XCOMP_PERM). */
inline bool hasTiles() {
  static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
  return granted;
}
#endif

/** A 32 × 32 block of the result in four tiles, from two tiles of each operand; 0 to 3 hold sums, 4 and 5 left, 6 and 7 right. */
template <class Tiles>
void addTiles(Tiles& tiles, const LeftWords& left, const float* panel, int64_t words, float* to, int64_t stride,
              bool adds) {
  if (adds) {
    tiles.template load<0>(to, stride);
    tiles.template load<1>(to + LANES, stride);
    tiles.template load<2>(to + LANES * stride, stride);
    tiles.template load<3>(to + LANES * stride + LANES, stride);
  } else {
    tiles.template zero<0>();
    tiles.template zero<1>();
    tiles.template zero<2>();
    tiles.template zero<3>();
  }
  for (int64_t w = 0; w < words; w += LANES) {
    tiles.template load<4>(left.words + w, left.rowStride);
    tiles.template load<6>(panel + w * PANEL, PANEL);
    tiles.template load<7>(panel + w * PANEL + LANES, PANEL);
    tiles.template multiplyAdd<0, 4, 6>();
    tiles.template multiplyAdd<1, 4, 7>();
    tiles.template load<5>(left.words + LANES * left.rowStride + w, left.rowStride);
    tiles.template multiplyAdd<2, 5, 6>();
    tiles.template multiplyAdd<3, 5, 7>();
  }
  tiles.template store<0>(to, stride);
  tiles.template store<1>(to + LANES, stride);
  tiles.template store<2>(to + LANES * stride, stride);
  tiles.template store<3>(to + LANES * stride + LANES, stride);
}

constexpr int64_t TILE_SQUARE = 2 * LANES;

/** As addProduct, with words packed in whole blocks: of the left operand [rows, words], rows filled up to a multiple of 32. */
template <class Tiles>
void addProductByTiles(Tiles& tiles, const LeftWords& left, const float* panel, int64_t words, const ResultBlock& to) {
  for (int64_t row = 0; row < to.rows; row += TILE_SQUARE)
    for (int64_t column = 0; column < to.columns; column += TILE_SQUARE) {
      const LeftWords rows{left.words + row * left.rowStride, left.rowStride, left.wordStride};
      float* const corner = to.values + row * to.stride + column;
      const int64_t height = to.rows - row, width = to.columns - column;
      if (height >= TILE_SQUARE && width >= TILE_SQUARE) {
        addTiles(tiles, rows, panel + column, words, corner, to.stride, to.adds);
        continue;
      }
      // what lies outside the result is computed beside it
      alignas(64) float square[TILE_SQUARE * TILE_SQUARE];
      const auto eachRow = [&](auto copy) {
        for (int64_t r = 0; r < TILE_SQUARE && r < height; r++)
          copy(square + r * TILE_SQUARE, corner + r * to.stride, (width < TILE_SQUARE ? width : TILE_SQUARE) * sizeof(float));
      };
      if (to.adds) eachRow([](float* inside, const float* result, size_t bytes) { std::memcpy(inside, result, bytes); });
      addTiles(tiles, rows, panel + column, words, square, TILE_SQUARE, to.adds);
      eachRow([](const float* inside, float* result, size_t bytes) { std::memcpy(result, inside, bytes); });
    }
}

}  // namespace basin
