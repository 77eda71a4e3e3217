// Pixels of pictures [B, H, W, C] as the rows of a matrix whose columns are channels: passes over a stretch of them, and what
// normalisations do before and after their own part.
#pragma once
#include <cstdint>

#include "vector.h"

namespace basin {

/** A sum takes this many pixels before it is added to the others, so that rounding grows with neither number much. */
constexpr int64_t PIXEL_BLOCK = 32;

/**
 * Calls `body(first, end, channel, lanes)` for every vector of channels in every block of PIXEL_BLOCK pixels, which stays in the first-level
 * cache meanwhile: the vector is at offsets first, first + channels … below end.
 */
template <class Body>
void overPixels(int64_t from, int64_t to, int64_t channels, const Body& body) {
  for (int64_t pixel = from; pixel < to; pixel += PIXEL_BLOCK) {
    const int64_t end = pixel + PIXEL_BLOCK < to ? pixel + PIXEL_BLOCK : to;
    alongRow(channels, [&](int64_t channel, int64_t lanes) { body(pixel * channels + channel, end * channels, channel, lanes); });
  }
}

inline void addTo(float* sums, int64_t channel, int64_t lanes, Floats addend) {
  storeUpTo(sums + channel, loadUpTo(sums + channel, lanes) + addend, lanes);
}

/** Adds up each channel over pixels. */
inline void addPixels(const float* x, int64_t from, int64_t to, int64_t channels, float* sums) {
  overPixels(from, to, channels, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    Floats sum{};
    for (int64_t at = first; at < end; at += channels) sum += loadUpTo(x + at, lanes);
    addTo(sums, channel, lanes, sum);
  });
}

/** Adds up the squares of each channel's differences from its mean. */
inline void addSquares(const float* x, const float* mean, int64_t from, int64_t to, int64_t channels, float* sums) {
  overPixels(from, to, channels, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats middle = loadUpTo(mean + channel, lanes);
    Floats squares{};
    for (int64_t at = first; at < end; at += channels) {
      const Floats centred = loadUpTo(x + at, lanes) - middle;
      squares += centred * centred;
    }
    addTo(sums, channel, lanes, squares);
  });
}

/** How each channel is normalised: (x − mean) · scale · gain + shift. */
struct Normal {
  const float *mean, *scale, *gain, *shift;
};

/** What comes after: a residual is added unless it is nothing, and negative values become 0 where asked for. */
struct After {
  const float* residual;
  bool rectify;
};

inline void normalise(const float* x, const Normal& normal, const After& after, int64_t from, int64_t to, int64_t channels,
                      float* y) {
  overPixels(from, to, channels, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(normal.mean + channel, lanes), scale = loadUpTo(normal.scale + channel, lanes),
                 gain = loadUpTo(normal.gain + channel, lanes), shift = loadUpTo(normal.shift + channel, lanes);
    for (int64_t at = first; at < end; at += channels) {
      Floats value = (loadUpTo(x + at, lanes) - mean) * scale * gain + shift;
      if (after.residual) value += loadUpTo(after.residual + at, lanes);
      if (after.rectify) value = value < 0.0f ? Floats{} : value;  // NaN stays NaN
      storeUpTo(y + at, value, lanes);
    }
  });
}

/** The gradient d behind what comes after: dy, but 0 where y was cut off. `y` is nothing where it was not rectified. */
struct Derivative {
  const float *dy, *y;

  Floats operator()(int64_t at, int64_t lanes) const {
    const Floats d = loadUpTo(dy + at, lanes);
    return y ? (loadUpTo(y + at, lanes) > 0.0f ? d : Floats{}) : d;
  }
};

/** Adds up d x̂ and d of each channel, the gradients of gain and shift, and writes d where there is a residual to have it. */
inline void addGradients(const float* x, const Normal& normal, const Derivative& derivative, int64_t from, int64_t to,
                         int64_t channels, float* dgain, float* dshift, float* dresidual) {
  overPixels(from, to, channels, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(normal.mean + channel, lanes), scale = loadUpTo(normal.scale + channel, lanes);
    Floats sum{}, along{};
    for (int64_t at = first; at < end; at += channels) {
      const Floats d = derivative(at, lanes);
      if (dresidual) storeUpTo(dresidual + at, d, lanes);
      sum += d;
      along += d * ((loadUpTo(x + at, lanes) - mean) * scale);
    }
    addTo(dshift, channel, lanes, sum);
    addTo(dgain, channel, lanes, along);
  });
}

/** dx = (g − mean(g) − x̂ · mean(g x̂)) · scale with g = d · gain, given both means for each channel. */
inline void inputGradient(const float* x, const Normal& normal, const Derivative& derivative, const float* meanG,
                          const float* meanAlong, int64_t from, int64_t to, int64_t channels, float* dx) {
  overPixels(from, to, channels, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(normal.mean + channel, lanes), scale = loadUpTo(normal.scale + channel, lanes),
                 gain = loadUpTo(normal.gain + channel, lanes), ofG = loadUpTo(meanG + channel, lanes),
                 ofAlong = loadUpTo(meanAlong + channel, lanes);
    for (int64_t at = first; at < end; at += channels) {
      const Floats hat = (loadUpTo(x + at, lanes) - mean) * scale;
      storeUpTo(dx + at, (derivative(at, lanes) * gain - ofG - hat * ofAlong) * scale, lanes);
    }
  });
}

}  // namespace basin
