// Sixteen floats at a time, by GCC's vector extensions: +, *, ?: and comparisons work on all lanes. Intrinsics only where
// the extensions have no word: masked loads, reductions along a vector, transposes.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace basin {

constexpr int LANES = 16;
typedef float Floats __attribute__((vector_size(64)));
typedef int32_t Integers __attribute__((vector_size(64)));

inline Floats load(const float* from) {
  Floats lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

inline void store(float* to, Floats lanes) { std::memcpy(to, &lanes, sizeof lanes); }

/** Bit for bit: a sum with zeros would lose a negative zero, and what is subnormal while TensorFlow has that flushed. */
inline Floats all(float value) { return (Floats)_mm512_set1_ps(value); }

inline __mmask16 firstLanes(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }

/** The first `count` lanes (1 to 16) from memory, 0 in the others. */
inline Floats loadFirst(const float* from, int64_t count) {
  return (Floats)_mm512_maskz_loadu_ps(firstLanes(count), from);
}

inline void storeFirst(float* to, Floats lanes, int64_t count) {
  _mm512_mask_storeu_ps(to, firstLanes(count), (__m512)lanes);
}

/** The first `count` lanes of `lanes`, those of `others` behind them. */
inline Floats firstOf(Floats lanes, int64_t count, Floats others = Floats{}) {
  return (Floats)_mm512_mask_mov_ps((__m512)others, firstLanes(count), (__m512)lanes);
}

/** Calls `body(column, count)` for stretches of at most 16 columns; only the last may be shorter, if `columns` is no multiple. */
template <class Body>
inline void alongRow(int64_t columns, Body&& body) {
  int64_t column = 0;
  for (; column + LANES <= columns; column += LANES) body(column, static_cast<int64_t>(LANES));
  if (column < columns) body(column, columns - column);
}

/** Loads and stores for `alongRow`: whole vectors without a mask. */
inline Floats loadUpTo(const float* from, int64_t count) { return count == LANES ? load(from) : loadFirst(from, count); }
inline void storeUpTo(float* to, Floats lanes, int64_t count) {
  if (count == LANES) store(to, lanes);
  else storeFirst(to, lanes, count);
}

/** The larger and the smaller of two, lane by lane: b where either is not a number. */
inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }
inline Floats smaller(Floats a, Floats b) { return a < b ? a : b; }
inline Floats squareRoot(Floats x) { return (Floats)_mm512_sqrt_ps((__m512)x); }
inline Floats absolute(Floats x) { return (Floats)_mm512_abs_ps((__m512)x); }

inline float sumOf(Floats lanes) { return _mm512_reduce_add_ps((__m512)lanes); }
inline float largestOf(Floats lanes) { return _mm512_reduce_max_ps((__m512)lanes); }

/**
 * e^x, relative error 8.2e-8 on [-87, 88]; arguments beyond are clamped there, and what is no number stays none. x = k ln 2 + r with k
 * by the rounding that adding 1.5·2^23 does (which -ffast-math would remove), e^r by Cephes' polynomial of degree 6, 2^k by the
 * exponent bits.
 */
inline Floats exponential(Floats argument) {
  const Floats x = smaller(larger(argument, all(-87.3f)), all(88.0f));
  const Floats shifted = x * 1.44269504f + 12582912.0f;
  const Integers exponent = (Integers)shifted << 23;
  const Floats k = shifted - 12582912.0f;
  const Floats r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
  Floats p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  // A choice and not a clamp that keeps NaN: its exponent bits, added to, could make a number.
  return argument == argument ? (Floats)((Integers)p + exponent) : argument;
}

}  // namespace basin
