// Batch normalisation of pictures in training (Ioffe & Szegedy 2015, algorithm 1): y = (x − mean) / √(variance + ε) · gain + shift,
// with mean and biased variance of each channel over all pixels of the batch; then, where asked for, a residual is added and
// negative values become 0. A task is a block of pixels; three passes over the batch forward and two backward.
#include <cmath>
#include <vector>

#include "operation.h"
#include "pixels.h"
#include "row-sums.h"
#include "thread-pool.h"

namespace basin {
namespace {

/** Pixels of a task. */
constexpr int64_t TASK = 512;

std::vector<float> scaleOf(const float* variance, int64_t channels, float epsilon) {
  std::vector<float> scale(channels);
  for (int64_t channel = 0; channel < channels; channel++) scale[channel] = 1.0f / std::sqrt(variance[channel] + epsilon);
  return scale;
}

void divide(float* sums, int64_t channels, int64_t count) {
  for (int64_t channel = 0; channel < channels; channel++) sums[channel] /= static_cast<float>(count);
}

/** x [B, H, W, C], gain [C], shift [C], residual [B, H, W, C] or [0] → y [B, H, W, C], mean [C], variance [C] */
struct BatchNorm {
  explicit BatchNorm(const Attributes& attributes)
      : epsilon(attributes.real("epsilon")), rectify(attributes.boolean("rectify")) {}
  float epsilon;
  bool rectify;

  void operator()(Call& call) const {
    const Input x = call.input(0), gain = call.input(1), shift = call.input(2), residual = call.input(3);
    const int64_t pixels = x.rows(), channels = x.columns();
    require(gain.size() == channels && shift.size() == channels,
            "gain and shift must have as many elements as there are channels");
    require(residual.size() == 0 || residual.shape == x.shape, "the residual must have the shape of x");
    float* const y = call.output(0, x.shape);
    float* const mean[] = {call.output(1, gain.shape)};
    float* const variance[] = {call.output(2, gain.shape)};
    withRowSums(
        pixels, channels, mean,
        [&](int64_t from, int64_t to, float* sums) { addPixels(x.values, from, to, channels, sums); }, TASK);
    divide(mean[0], channels, pixels);
    withRowSums(
        pixels, channels, variance,
        [&](int64_t from, int64_t to, float* sums) { addSquares(x.values, mean[0], from, to, channels, sums); }, TASK);
    divide(variance[0], channels, pixels);
    const std::vector<float> scale = scaleOf(variance[0], channels, epsilon);
    const Normal normal{mean[0], scale.data(), gain.values, shift.values};
    const After after{residual.size() > 0 ? residual.values : nullptr, rectify};
    inBlocks(pixels, TASK,
             [&](int64_t from, int64_t to) { normalise(x.values, normal, after, from, to, channels, y); });
  }
};

/**
 * dy, x [B, H, W, C], gain, mean, variance [C], y [B, H, W, C] if it was rectified, else [0] → dx [B, H, W, C], dgain [C], dshift [C], and
 * dresidual [B, H, W, C] if a residual was added, else [0]
 */
struct BatchNormGradient {
  explicit BatchNormGradient(const Attributes& attributes)
      : epsilon(attributes.real("epsilon")), added(attributes.boolean("added")) {}
  float epsilon;
  bool added;

  void operator()(Call& call) const {
    const Input dy = call.input(0), x = call.input(1), gain = call.input(2), mean = call.input(3), variance = call.input(4),
                y = call.input(5);
    const int64_t pixels = x.rows(), channels = x.columns();
    require(gain.size() == channels && mean.size() == channels && variance.size() == channels,
            "gain, mean and variance must have as many elements as there are channels");
    require(dy.shape == x.shape, "dy must have the shape of x");
    require(y.size() == 0 || y.shape == x.shape, "y must have the shape of x");
    float* const dx = call.output(0, x.shape);
    float* const sums[] = {call.output(1, gain.shape), call.output(2, gain.shape)};
    float* const dresidual = call.output(3, added ? x.shape : std::vector<int64_t>{0});
    const std::vector<float> scale = scaleOf(variance.values, channels, epsilon);
    const Normal normal{mean.values, scale.data(), gain.values, nullptr};
    const Derivative derivative{dy.values, y.size() > 0 ? y.values : nullptr};
    withRowSums(
        pixels, channels, sums,
        [&](int64_t from, int64_t to, float* partial) {
          addGradients(x.values, normal, derivative, from, to, channels, partial, partial + channels,
                       added ? dresidual : nullptr);
        },
        TASK);
    std::vector<float> meanG(channels), meanAlong(channels);
    for (int64_t channel = 0; channel < channels; channel++) {
      meanG[channel] = sums[1][channel] * gain.values[channel];
      meanAlong[channel] = sums[0][channel] * gain.values[channel];
    }
    divide(meanG.data(), channels, pixels);
    divide(meanAlong.data(), channels, pixels);
    inBlocks(pixels, TASK, [&](int64_t from, int64_t to) {
      inputGradient(x.values, normal, derivative, meanG.data(), meanAlong.data(), from, to, channels, dx);
    });
  }
};

const bool declared =
    declare<BatchNorm>({"BasinBatchNorm",
                        {"epsilon: float", "rectify: bool"},
                        {"x", "gain", "shift", "residual"},
                        {"y", "mean", "variance"}}) &&
    declare<BatchNormGradient>({"BasinBatchNormGradient",
                                {"epsilon: float", "added: bool"},
                                {"dy", "x", "gain", "mean", "variance", "y"},
                                {"dx", "dgain", "dshift", "dresidual"}});

}  // namespace
}  // namespace basin
