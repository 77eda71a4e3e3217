// GELU(x) = x Φ(x) of x = u + bias (Hendrycks & Gimpel 2016, equation 1), exact, and its gradient.
// Rows of u in tasks of ROW_BLOCK, each read and written once, whole rows at a time.
#include "operation.h"
#include "row-sums.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

struct Normal {
  Floats cumulative;  // Φ(x)
  Floats bell;        // e^(−x²/2)
};

/**
 * Φ(x) = ½ erfc(−x/√2). With z = |x|/√2 and t = 1/(1 + z/2), erfc(z) = t P(t) e^(−z²); P is our minimax fit, 4.3e-8 in
 * exact arithmetic. In float32 the absolute error of Φ is 1.6e-7.
 */
inline Normal normal(Floats x) {
  const Floats z = absolute(x) * 0.707106781f;
  const Floats t = 1.0f / (1.0f + 0.5f * z);
  const Floats bell = exponential(-z * z);
  Floats p = -0.0590689257f * t + 0.284574807f;
  p = p * t - 0.487199605f;
  p = p * t + 0.278066874f;
  p = p * t - 0.0266254880f;
  p = p * t + 0.202686802f;
  p = p * t + 0.243103772f;
  p = p * t + 0.282375306f;
  p = p * t + 0.282086432f;
  const Floats tail = 0.5f * t * p * bell;
  return {x < 0.0f ? tail : 1.0f - tail, bell};
}

void checkShapes(const Input& u, const Input& bias) {
  require(bias.size() == u.columns(), "the bias must have as many elements as u has columns");
}

/** u [N, D], bias [D] → h [N, D] = GELU(u + bias) */
struct BiasGelu {
  explicit BiasGelu(const Attributes&) {}

  void operator()(Call& call) const {
    const Input u = call.input(0), bias = call.input(1);
    checkShapes(u, bias);
    float* const h = call.output(0, u.shape);
    const int64_t columns = u.columns();
    inBlocks(u.rows(), ROW_BLOCK, [&](int64_t first, int64_t end) {
      for (int64_t at = first * columns; at < end * columns; at += columns)
        alongRow(columns, [&](int64_t column, int64_t lanes) {
          const Floats x = loadUpTo(u.values + at + column, lanes) + loadUpTo(bias.values + column, lanes);
          storeUpTo(h + at + column, x * normal(x).cumulative, lanes);
        });
    });
  }
};

/** dh [N, D], u, bias → du [N, D] = dh · (Φ(x) + x φ(x)), dbias [D] = its column sums */
struct BiasGeluGradient {
  explicit BiasGeluGradient(const Attributes&) {}

  void operator()(Call& call) const {
    const Input dh = call.input(0), u = call.input(1), bias = call.input(2);
    checkShapes(u, bias);
    require(dh.shape == u.shape, "dh must have the shape of u");
    float* const du = call.output(0, u.shape);
    float* const sums[] = {call.output(1, bias.shape)};
    const int64_t columns = u.columns();
    constexpr float density = 0.398942280f;  // φ(x) = e^(−x²/2) / √(2π)
    withRowSums(u.rows(), columns, sums, [&](int64_t first, int64_t end, float* dbias) {
      for (int64_t at = first * columns; at < end * columns; at += columns)
        alongRow(columns, [&](int64_t column, int64_t lanes) {
          const Floats x = loadUpTo(u.values + at + column, lanes) + loadUpTo(bias.values + column, lanes);
          const Normal n = normal(x);
          const Floats d = loadUpTo(dh.values + at + column, lanes) * (n.cumulative + x * n.bell * density);
          storeUpTo(du + at + column, d, lanes);
          storeUpTo(dbias + column, loadUpTo(dbias + column, lanes) + d, lanes);
        });
    });
  }
};

const bool declared = declare<BiasGelu>({"BasinBiasGelu", {}, {"u", "bias"}, {"h"}}) &&
                      declare<BiasGeluGradient>({"BasinBiasGeluGradient", {}, {"dh", "u", "bias"}, {"du", "dbias"}});

}  // namespace
}  // namespace basin
