#pragma once
#include "vector.h"

namespace basin {

/** Transposes 16x16 floats in registers: pairs of rows, then of pairs, then quarters of vectors twice. */
inline void transpose(Floats (&rows)[LANES]) {
  __m512 a[LANES], b[LANES];
#pragma GCC unroll 8
  for (int i = 0; i < LANES; i += 2) {
    a[i] = _mm512_unpacklo_ps((__m512)rows[i], (__m512)rows[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps((__m512)rows[i], (__m512)rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < LANES; i += 4) {
    const __m512d low = (__m512d)a[i], high = (__m512d)a[i + 1], low2 = (__m512d)a[i + 2], high2 = (__m512d)a[i + 3];
    b[i] = (__m512)_mm512_unpacklo_pd(low, low2);
    b[i + 1] = (__m512)_mm512_unpackhi_pd(low, low2);
    b[i + 2] = (__m512)_mm512_unpacklo_pd(high, high2);
    b[i + 3] = (__m512)_mm512_unpackhi_pd(high, high2);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m512 even = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88), odd = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
    const __m512 even2 = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88),
                 odd2 = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
    rows[i] = (Floats)_mm512_shuffle_f32x4(even, even2, 0x88);
    rows[i + 4] = (Floats)_mm512_shuffle_f32x4(odd, odd2, 0x88);
    rows[i + 8] = (Floats)_mm512_shuffle_f32x4(even, even2, 0xdd);
    rows[i + 12] = (Floats)_mm512_shuffle_f32x4(odd, odd2, 0xdd);
  }
}

}  // namespace basin
