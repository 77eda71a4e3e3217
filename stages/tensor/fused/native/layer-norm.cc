// Layer normalisation of rows (Ba et al. 2016, equation 3), y = (t − mean) / √(variance + ε) · gain + shift with the biased
// variance, alone and after the sum t = m + bias + residual that a transformer block makes before it. Rows in tasks of
// ROW_BLOCK; a row stays in the first-level cache for the passes over it. The gradients compute mean and scale anew from t,
// which costs less than keeping them.
#include <cmath>

#include "operation.h"
#include "row-sums.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

struct Moments {
  float mean, scale;  // scale = 1 / √(variance + ε)
};

/** Two passes: the variance of differences from the mean, not the difference of two large sums. */
Moments momentsOf(const float* row, int64_t columns, float epsilon) {
  Floats sum{};
  alongRow(columns, [&](int64_t column, int64_t lanes) { sum += loadUpTo(row + column, lanes); });
  const float mean = sumOf(sum) / static_cast<float>(columns);
  Floats squares{};
  alongRow(columns, [&](int64_t column, int64_t lanes) {
    Floats centred = loadUpTo(row + column, lanes) - mean;
    if (lanes < LANES) centred = firstOf(centred, lanes);
    squares += centred * centred;
  });
  return {mean, 1.0f / std::sqrt(sumOf(squares) / static_cast<float>(columns) + epsilon)};
}

void normalise(const float* row, int64_t columns, float epsilon, const float* gain, const float* shift, float* y) {
  const Moments moments = momentsOf(row, columns, epsilon);
  alongRow(columns, [&](int64_t column, int64_t lanes) {
    const Floats hat = (loadUpTo(row + column, lanes) - moments.mean) * moments.scale;
    storeUpTo(y + column, hat * loadUpTo(gain + column, lanes) + loadUpTo(shift + column, lanes), lanes);
  });
}

void addTo(float* sums, int64_t column, int64_t lanes, Floats addend) {
  storeUpTo(sums + column, loadUpTo(sums + column, lanes) + addend, lanes);
}

/**
 * The gradient through one row: with x̂ the normalised row, g = dy · gain and means along the row,
 * dx = (g − mean(g) − x̂ · mean(g x̂)) · scale, plus `dt` where the sum itself is used too. Adds dy x̂ and dy to the sums
 * for gain and shift, and dx to that for the bias where there is one.
 */
void rowGradient(const float* t, const float* dy, const float* dt, const float* gain, int64_t columns, float epsilon,
                 float* dx, float* dgain, float* dshift, float* dbias) {
  const Moments moments = momentsOf(t, columns, epsilon);
  Floats sumG{}, sumAlong{};
  alongRow(columns, [&](int64_t column, int64_t lanes) {
    const Floats hat = (loadUpTo(t + column, lanes) - moments.mean) * moments.scale;
    const Floats d = loadUpTo(dy + column, lanes);  // 0 beyond the row, and so are both sums
    const Floats g = d * loadUpTo(gain + column, lanes);
    sumG += g;
    sumAlong += g * hat;
    addTo(dgain, column, lanes, d * hat);
    addTo(dshift, column, lanes, d);
  });
  const float meanG = sumOf(sumG) / static_cast<float>(columns);
  const float meanAlong = sumOf(sumAlong) / static_cast<float>(columns);
  alongRow(columns, [&](int64_t column, int64_t lanes) {
    const Floats hat = (loadUpTo(t + column, lanes) - moments.mean) * moments.scale;
    const Floats g = loadUpTo(dy + column, lanes) * loadUpTo(gain + column, lanes);
    Floats d = (g - meanG - hat * meanAlong) * moments.scale;
    if (dt) d += loadUpTo(dt + column, lanes);
    storeUpTo(dx + column, d, lanes);
    if (dbias) addTo(dbias, column, lanes, d);
  });
}

void requireVectors(int64_t columns, std::initializer_list<const Input*> vectors) {
  for (const Input* vector : vectors)
    require(vector->size() == columns, "gain, shift and bias must have as many elements as there are columns");
}

/** x [N, D], gain [D], shift [D] → y [N, D] */
struct LayerNorm {
  explicit LayerNorm(const Attributes& attributes) : epsilon(attributes.real("epsilon")) {}
  float epsilon;

  void operator()(Call& call) const {
    const Input x = call.input(0), gain = call.input(1), shift = call.input(2);
    const int64_t columns = x.columns();
    requireVectors(columns, {&gain, &shift});
    float* const y = call.output(0, x.shape);
    inBlocks(x.rows(), ROW_BLOCK, [&](int64_t first, int64_t end) {
      for (int64_t at = first * columns; at < end * columns; at += columns)
        normalise(x.values + at, columns, epsilon, gain.values, shift.values, y + at);
    });
  }
};

/** dy [N, D], x [N, D], gain [D] → dx [N, D], dgain [D], dshift [D] */
struct LayerNormGradient {
  explicit LayerNormGradient(const Attributes& attributes) : epsilon(attributes.real("epsilon")) {}
  float epsilon;

  void operator()(Call& call) const {
    const Input dy = call.input(0), x = call.input(1), gain = call.input(2);
    const int64_t columns = x.columns();
    requireVectors(columns, {&gain});
    require(dy.shape == x.shape, "dy must have the shape of x");
    float* const dx = call.output(0, x.shape);
    float* const sums[] = {call.output(1, gain.shape), call.output(2, gain.shape)};
    withRowSums(x.rows(), columns, sums, [&](int64_t first, int64_t end, float* partial) {
      for (int64_t at = first * columns; at < end * columns; at += columns)
        rowGradient(x.values + at, dy.values + at, nullptr, gain.values, columns, epsilon, dx + at, partial,
                    partial + columns, nullptr);
    });
  }
};

/** m [N, D], bias [D], residual [N, D], gain [D], shift [D] → t [N, D] = m + bias + residual, y [N, D] = its normal form */
struct AddNorm {
  explicit AddNorm(const Attributes& attributes) : epsilon(attributes.real("epsilon")) {}
  float epsilon;

  void operator()(Call& call) const {
    const Input m = call.input(0), bias = call.input(1), residual = call.input(2), gain = call.input(3),
                shift = call.input(4);
    const int64_t columns = m.columns();
    requireVectors(columns, {&bias, &gain, &shift});
    require(residual.shape == m.shape, "the residual must have the shape of m");
    float* const t = call.output(0, m.shape);
    float* const y = call.output(1, m.shape);
    inBlocks(m.rows(), ROW_BLOCK, [&](int64_t first, int64_t end) {
      for (int64_t at = first * columns; at < end * columns; at += columns) {
        alongRow(columns, [&](int64_t column, int64_t lanes) {
          const Floats product = loadUpTo(m.values + at + column, lanes) + loadUpTo(bias.values + column, lanes);
          storeUpTo(t + at + column, product + loadUpTo(residual.values + at + column, lanes), lanes);
        });
        normalise(t + at, columns, epsilon, gain.values, shift.values, y + at);
      }
    });
  }
};

/** dt [N, D], dy [N, D], t [N, D], gain [D] → dx [N, D] (of m and of the residual alike), dbias [D], dgain [D], dshift [D] */
struct AddNormGradient {
  explicit AddNormGradient(const Attributes& attributes) : epsilon(attributes.real("epsilon")) {}
  float epsilon;

  void operator()(Call& call) const {
    const Input dt = call.input(0), dy = call.input(1), t = call.input(2), gain = call.input(3);
    const int64_t columns = t.columns();
    requireVectors(columns, {&gain});
    require(dy.shape == t.shape && dt.shape == t.shape, "dt and dy must have the shape of t");
    float* const dx = call.output(0, t.shape);
    float* const sums[] = {call.output(1, gain.shape), call.output(2, gain.shape), call.output(3, gain.shape)};
    withRowSums(t.rows(), columns, sums, [&](int64_t first, int64_t end, float* partial) {
      for (int64_t at = first * columns; at < end * columns; at += columns)
        rowGradient(t.values + at, dy.values + at, dt.values + at, gain.values, columns, epsilon, dx + at,
                    partial + columns, partial + 2 * columns, partial);
    });
  }
};

const bool declared =
    declare<LayerNorm>({"BasinLayerNorm", {"epsilon: float"}, {"x", "gain", "shift"}, {"y"}}) &&
    declare<LayerNormGradient>(
        {"BasinLayerNormGradient", {"epsilon: float"}, {"dy", "x", "gain"}, {"dx", "dgain", "dshift"}}) &&
    declare<AddNorm>(
        {"BasinAddNorm", {"epsilon: float"}, {"m", "bias", "residual", "gain", "shift"}, {"t", "y"}}) &&
    declare<AddNormGradient>(
        {"BasinAddNormGradient", {"epsilon: float"}, {"dt", "dy", "t", "gain"}, {"dx", "dbias", "dgain", "dshift"}});

}  // namespace
}  // namespace basin
