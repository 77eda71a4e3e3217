// AdamW (Loshchilov & Hutter 2019, algorithm 2) as torch.optim.AdamW computes it, over one flat vector of all parameters: one pass that
// reads parameters, both moments and the gradient once and writes the first three. And the length of a vector, for clipping.
#include <cmath>
#include <vector>

#include "operation.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

/** Elements of one task: 64 KiB of each vector, far less than the caches and far more than starting a task costs. */
constexpr int64_t BLOCK = 16384;

float scalar(const Input& input) {
  require(input.size() == 1, "a scalar must have one element");
  return input.values[0];
}

/**
 * flat, m, v, gradient [N]; decays [N], 1 where weight decay acts, or [0] where it acts on all; factor that clips the gradient,
 * shrink = 1 − lr · weight_decay, step_size = lr / (1 − β1^t), root_correction = √(1 − β2^t), scalars → the next flat, m, v.
 */
struct AdamW {
  explicit AdamW(const Attributes& attributes)
      : beta1(attributes.real("beta1")),
        rest1(attributes.real("rest1")),
        beta2(attributes.real("beta2")),
        rest2(attributes.real("rest2")),
        epsilon(attributes.real("epsilon")) {}
  float beta1, rest1, beta2, rest2, epsilon;  // rest = 1 − β, which in float32 would lose five digits

  void operator()(Call& call) const {
    const Input flat = call.input(0), m = call.input(1), v = call.input(2), gradient = call.input(3),
                decays = call.input(4);
    const float factor = scalar(call.input(5)), shrink = scalar(call.input(6)), stepSize = scalar(call.input(7)),
                inverseRoot = 1.0f / scalar(call.input(8));
    const int64_t size = flat.size();
    require(m.size() == size && v.size() == size && gradient.size() == size, "all vectors must be of one length");
    const bool everywhere = decays.size() == 0;
    require(everywhere || decays.size() == size, "decays must have an element for each parameter, or none");
    float* const nextFlat = call.output(0, flat.shape);
    float* const nextM = call.output(1, m.shape);
    float* const nextV = call.output(2, v.shape);
    inBlocks(size, BLOCK, [&](int64_t first, int64_t end) {
      alongRow(end - first, [&](int64_t offset, int64_t lanes) {
        const int64_t at = first + offset;
        const Floats g = loadUpTo(gradient.values + at, lanes) * factor;
        const Floats mean = loadUpTo(m.values + at, lanes) * beta1 + g * rest1;
        const Floats square = loadUpTo(v.values + at, lanes) * beta2 + g * g * rest2;
        const Floats kept = everywhere ? all(shrink) : loadUpTo(decays.values + at, lanes) * (shrink - 1.0f) + 1.0f;
        const Floats move = mean * stepSize / (squareRoot(square) * inverseRoot + epsilon);
        storeUpTo(nextFlat + at, loadUpTo(flat.values + at, lanes) * kept - move, lanes);
        storeUpTo(nextM + at, mean, lanes);
        storeUpTo(nextV + at, square, lanes);
      });
    });
  }
};

/** x of any shape → √Σx², a scalar. Sums of blocks in float64, added in their order. */
struct Norm {
  explicit Norm(const Attributes&) {}

  void operator()(Call& call) const {
    const Input x = call.input(0);
    const int64_t size = x.size();
    std::vector<double> sums((size + BLOCK - 1) / BLOCK);
    inBlocks(size, BLOCK, [&](int64_t first, int64_t end) {
      Floats squares[4] = {};
      alongRow(end - first, [&](int64_t offset, int64_t lanes) {
        const Floats part = loadUpTo(x.values + first + offset, lanes);
        squares[offset / LANES % 4] += part * part;
      });
      double sum = 0;
      for (const Floats part : squares) sum += sumOf(part);
      sums[first / BLOCK] = sum;
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    *call.output(0, {}) = static_cast<float>(std::sqrt(total));
  }
};

const bool declared =
    declare<AdamW>({"BasinAdamW",
                    {"beta1: float", "rest1: float", "beta2: float", "rest2: float", "epsilon: float"},
                    {"flat", "m", "v", "gradient", "decays", "factor", "shrink", "step_size", "root_correction"},
                    {"next_flat", "next_m", "next_v"}}) &&
    declare<Norm>({"BasinNorm", {}, {"x"}, {"norm"}});

}  // namespace
}  // namespace basin
