// PLATON's memory of each prunable weight (Zhang et al. 2022, algorithm 1, as its published code has it), in one pass over
// all its vectors: inside a window the mean of the sensitivity |θ · ∇L|, and at its turn the means over windows.
// Weights and gradient may be longer than the memory: what can be pruned is their front.
#include "operation.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

constexpr int64_t BLOCK = 16384;

void requireFront(int64_t size, const Input& weights, const Input& gradient) {
  require(weights.size() >= size && gradient.size() >= size, "there must be a weight and a gradient for each score");
}

/** window [P], weights, gradient [≥ P], place (scalar: steps that the window has) → window [P] = (window · place + |θ g|) / (place + 1) */
struct ScoreStep {
  explicit ScoreStep(const Attributes&) {}

  void operator()(Call& call) const {
    const Input window = call.input(0), weights = call.input(1), gradient = call.input(2), given = call.input(3);
    const int64_t size = window.size();
    requireFront(size, weights, gradient);
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

/**
 * window, importance, uncertainty [P], weights, gradient [≥ P] → window [P] = |θ g|, Ī = β1 Ī + (1 − β1) window,
 * Ū = β2 Ū + (1 − β2) |window − Ī|
 */
struct ScoreTurn {
  explicit ScoreTurn(const Attributes& attributes)
      : beta1(attributes.real("beta1")),
        rest1(attributes.real("rest1")),
        beta2(attributes.real("beta2")),
        rest2(attributes.real("rest2")) {}
  float beta1, rest1, beta2, rest2;  // rest = 1 − β

  void operator()(Call& call) const {
    const Input window = call.input(0), importance = call.input(1), uncertainty = call.input(2),
                weights = call.input(3), gradient = call.input(4);
    const int64_t size = window.size();
    requireFront(size, weights, gradient);
    require(importance.size() == size && uncertainty.size() == size, "all scores must be of one length");
    float* const nextWindow = call.output(0, window.shape);
    float* const nextImportance = call.output(1, window.shape);
    float* const nextUncertainty = call.output(2, window.shape);
    inBlocks(size, BLOCK, [&](int64_t first, int64_t end) {
      alongRow(end - first, [&](int64_t offset, int64_t lanes) {
        const int64_t at = first + offset;
        const Floats ended = loadUpTo(window.values + at, lanes);
        const Floats mean = loadUpTo(importance.values + at, lanes) * beta1 + ended * rest1;
        const Floats deviation = absolute(ended - mean);
        storeUpTo(nextUncertainty + at,
                  loadUpTo(uncertainty.values + at, lanes) * beta2 + deviation * rest2, lanes);
        storeUpTo(nextImportance + at, mean, lanes);
        storeUpTo(nextWindow + at,
                  absolute(loadUpTo(weights.values + at, lanes) * loadUpTo(gradient.values + at, lanes)), lanes);
      });
    });
  }
};

const bool declared =
    declare<ScoreStep>({"BasinScoreStep", {}, {"window", "weights", "gradient", "place"}, {"next_window"}}) &&
    declare<ScoreTurn>({"BasinScoreTurn",
                        {"beta1: float", "rest1: float", "beta2: float", "rest2: float"},
                        {"window", "importance", "uncertainty", "weights", "gradient"},
                        {"next_window", "next_importance", "next_uncertainty"}});

}  // namespace
}  // namespace basin
