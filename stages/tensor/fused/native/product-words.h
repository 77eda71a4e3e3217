// Operands of a matrix product as the inner loops read them: 32-bit words, each one float32 or a pair of bfloat16 that lie next to
// each other along the summed axis. What is packed is rounded on the way; everything after packing is alike for both. Pairs are no
// numbers of float32: they are moved bit for bit, and only the two functions that know what they are compute with them.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "transpose.h"
#include "vector.h"

namespace basin {

/** One operand: element (outer, inner) is at values[outer · outerStride + inner · innerStride]; one of the strides is 1. */
struct Operand {
  const float* values;
  int64_t outerStride;  // along the axis that the result has too
  int64_t innerStride;  // along the summed axis
};

/** A word is a float32. */
struct SingleWords {
  static constexpr int64_t PER_WORD = 1;

  /** Words of consecutive summed indices of one outer index, of which `count` floats exist. */
  static Floats alongInner(const float* from, int64_t count) { return loadUpTo(from, count < LANES ? count : LANES); }

  /** The same word of consecutive outer indices, of which `count` exist; `inner` floats of the summed axis exist. */
  static Floats alongOuter(const float* from, int64_t, int64_t, int64_t count) { return loadUpTo(from, count); }

  static Floats multiplyAdd(Floats sum, Floats a, Floats b) { return sum + a * b; }
};

/** A word is two bfloat16: the even summed index in the low half. Sums are in float32. */
struct PairWords {
  static constexpr int64_t PER_WORD = 2;

  static Floats alongInner(const float* from, int64_t count) {
    const Floats low = loadUpTo(from, count < LANES ? count : LANES);
    const Floats high = count > LANES ? loadUpTo(from + LANES, count - LANES < LANES ? count - LANES : LANES) : Floats{};
    return rounded(low, high);
  }

  static Floats alongOuter(const float* from, int64_t innerStride, int64_t inner, int64_t count) {
    const Floats even = loadUpTo(from, count);
    const Floats odd = inner > 1 ? loadUpTo(from + innerStride, count) : Floats{};
    return interleaved(rounded(even, odd));
  }

  static Floats multiplyAdd(Floats sum, Floats a, Floats b) {
#ifdef __AVX512BF16__
    return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    return multiplyAddInSoftware(sum, a, b);
#endif
  }

  /** What the instruction computes: products of bfloat16 are exact in float32, so only the two sums round. */
  static Floats multiplyAddInSoftware(Floats sum, Floats a, Floats b) {
    const Integers upper = Integers{} + static_cast<int32_t>(0xffff0000);
    const Floats oddProduct = (Floats)((Integers)a & upper) * (Floats)((Integers)b & upper);
    return sum + oddProduct + (Floats)((Integers)a << 16) * (Floats)((Integers)b << 16);
  }

 private:
  /** 32 floats to bfloat16, to nearest, ties to even; those of `low` in the lower half. */
  static Floats rounded(Floats low, Floats high) {
#ifdef __AVX512BF16__
    return (Floats)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
#else
    const __m256i halves[] = {_mm512_cvtepi32_epi16((__m512i)upperHalf(low)),
                              _mm512_cvtepi32_epi16((__m512i)upperHalf(high))};
    return (Floats)_mm512_inserti64x4(_mm512_castsi256_si512(halves[0]), halves[1], 1);
#endif
  }

  static Integers upperHalf(Floats x) {
    const Integers bits = (Integers)x;
    const Integers nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return x == x ? nearest : bits >> 16 | 0x40;  // a NaN stays one
  }

  static Floats interleaved(Floats halves) {
    alignas(64) static constexpr uint16_t ORDER[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (Floats)_mm512_permutexvar_epi16(_mm512_load_si512(ORDER), (__m512i)halves);
  }
};

/** Which index of packed words runs fastest. */
enum class Fastest { INNER, OUTER };

/**
 * Packs outer × inner floats of an operand: word (o, w) goes to words[o · stride + w] (INNER) or words[w · stride + o] (OUTER). Written
 * in blocks of 16 × 16 words: `stride` and the memory must have room for whole blocks; what the operand lacks is 0.
 */
template <class Words, Fastest FASTEST>
void pack(const Operand& from, int64_t outer, int64_t inner, float* words, int64_t stride) {
  const int64_t innerBlock = LANES * Words::PER_WORD;
  const bool innerIsContiguous = from.innerStride == 1;
  for (int64_t k = 0; k < inner; k += innerBlock)
    for (int64_t o = 0; o < outer; o += LANES) {
      const float* const corner = from.values + o * from.outerStride + k * from.innerStride;
      Floats block[LANES];
      const int64_t outerLeft = outer - o < LANES ? outer - o : LANES, innerLeft = inner - k;
      if (innerIsContiguous) {
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
          block[i] = i < outerLeft ? Words::alongInner(corner + i * from.outerStride, innerLeft) : Floats{};
      } else {
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) {
          const int64_t first = i * Words::PER_WORD;
          block[i] = first < innerLeft ? Words::alongOuter(corner + first * from.innerStride, from.innerStride,
                                                           innerLeft - first, outerLeft)
                                       : Floats{};
        }
      }
      if (innerIsContiguous != (FASTEST == Fastest::INNER)) transpose(block);
      const int64_t word = k / Words::PER_WORD;
      float* const to = words + (FASTEST == Fastest::INNER ? o * stride + word : word * stride + o);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) store(to + i * stride, block[i]);
    }
}

}  // namespace basin
