// The mean of PLATON's sensitivity |θ · ∇L| inside a window of steps (Zhang et al. 2022, as its published code has it), in one pass.
// Weights and gradient may be longer than the window: what can be pruned is their front.
#include "operation.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

constexpr int64_t BLOCK = 16384;

/** window [P], weights, gradient [≥ P], place (scalar: steps that the window has) → window [P] = (window · place + |θ g|) / (place + 1) */
struct WindowMean {
  explicit WindowMean(const Attributes&) {}

  void operator()(Call& call) const {
    const Input window = call.input(0), weights = call.input(1), gradient = call.input(2), given = call.input(3);
    const int64_t size = window.size();
    require(weights.size() >= size && gradient.size() >= size, "there must be a weight and a gradient for each mean");
    require(given.size() == 1, "the place must be a scalar");
    const float place = given.values[0];
    float* const next = call.output(0, window.shape);
    inBlocks(size, BLOCK, [&](int64_t first, int64_t end) {
      alongRow(end - first, [&](int64_t offset, int64_t lanes) {
        const int64_t at = first + offset;
        const Floats sensitivity =
            absolute(loadUpTo(weights.values + at, lanes) * loadUpTo(gradient.values + at, lanes));
        storeUpTo(next + at, (loadUpTo(window.values + at, lanes) * place + sensitivity) / (place + 1.0f), lanes);
      });
    });
  }
};

const bool declared =
    declare<WindowMean>({"BasinWindowMean", {}, {"window", "weights", "gradient", "place"}, {"next_window"}});

}  // namespace
}  // namespace basin
