// Group normalisation of pictures (Wu & He 2018, equations 1 to 6): y = (x − mean) / √(variance + ε) · gain + shift, with mean and
// biased variance over all pixels of a group of channels in one picture; then, where asked for, a residual is added and negative
// values become 0. A task is a picture, which stays in the second-level cache for the passes over it. The gradient computes mean and
// scale anew from x, which costs less than keeping them.
#include <cmath>
#include <vector>

#include "operation.h"
#include "pixels.h"
#include "row-sums.h"
#include "thread-pool.h"

namespace basin {
namespace {

/** One picture. */
struct Layout {
  int64_t pixels, channels, groups;

  int64_t size() const { return pixels * channels; }
};

/** Each channel's sum over pixels becomes `finish` of the mean of its group. */
template <class Finish>
void toGroupMeans(const Layout& layout, float* sums, const Finish& finish) {
  const int64_t each = layout.channels / layout.groups;
  for (float* group = sums; group < sums + layout.channels; group += each) {
    float sum = 0;
    for (int64_t i = 0; i < each; i++) sum += group[i];
    const float result = finish(sum / static_cast<float>(each * layout.pixels));
    for (int64_t i = 0; i < each; i++) group[i] = result;
  }
}

void toGroupMeans(const Layout& layout, float* sums) {
  toGroupMeans(layout, sums, [](float mean) { return mean; });
}

/** Of each channel, what its group has: mean, and scale = 1 / √(variance + ε). */
struct Moments {
  std::vector<float> mean, scale;
};

/** Two passes: the variance of differences from the mean, not the difference of two large sums. */
Moments momentsOf(const Layout& layout, const float* x, float epsilon) {
  Moments moments{std::vector<float>(layout.channels), std::vector<float>(layout.channels)};
  addPixels(x, 0, layout.pixels, layout.channels, moments.mean.data());
  toGroupMeans(layout, moments.mean.data());
  addSquares(x, moments.mean.data(), 0, layout.pixels, layout.channels, moments.scale.data());
  toGroupMeans(layout, moments.scale.data(), [&](float variance) { return 1.0f / std::sqrt(variance + epsilon); });
  return moments;
}

/** The gradient through one picture. Adds to the sums for gain and shift, whose sums over groups are the means that it needs. */
void pictureGradient(const Layout& layout, const float* x, const Derivative& derivative, const float* gain, float epsilon,
                     float* dx, float* dresidual, float* dgain, float* dshift) {
  const Moments moments = momentsOf(layout, x, epsilon);
  const Normal normal{moments.mean.data(), moments.scale.data(), gain, nullptr};
  addGradients(x, normal, derivative, 0, layout.pixels, layout.channels, dgain, dshift, dresidual);
  std::vector<float> meanG(layout.channels), meanAlong(layout.channels);
  for (int64_t channel = 0; channel < layout.channels; channel++) {
    meanG[channel] = dshift[channel] * gain[channel];
    meanAlong[channel] = dgain[channel] * gain[channel];
  }
  toGroupMeans(layout, meanG.data());
  toGroupMeans(layout, meanAlong.data());
  inputGradient(x, normal, derivative, meanG.data(), meanAlong.data(), 0, layout.pixels, layout.channels, dx);
}

Layout layoutOf(const Input& x, int groups) {
  require(x.shape.size() == 4, "x must be pictures [B, H, W, C]");
  const Layout layout{x.shape[1] * x.shape[2], x.shape[3], groups};
  require(groups > 0 && layout.channels % groups == 0, "groups must divide the channels");
  return layout;
}

/** x [B, H, W, C], gain [C], shift [C], residual [B, H, W, C] or [0] → y [B, H, W, C] */
struct GroupNorm {
  explicit GroupNorm(const Attributes& attributes)
      : groups(attributes.integer("groups")), epsilon(attributes.real("epsilon")), rectify(attributes.boolean("rectify")) {}
  int groups;
  float epsilon;
  bool rectify;

  void operator()(Call& call) const {
    const Input x = call.input(0), gain = call.input(1), shift = call.input(2), residual = call.input(3);
    const Layout layout = layoutOf(x, groups);
    require(gain.size() == layout.channels && shift.size() == layout.channels,
            "gain and shift must have as many elements as there are channels");
    require(residual.size() == 0 || residual.shape == x.shape, "the residual must have the shape of x");
    float* const y = call.output(0, x.shape);
    inParallel(x.shape[0], [&](int64_t picture) {
      const int64_t at = picture * layout.size();
      const Moments moments = momentsOf(layout, x.values + at, epsilon);
      normalise(x.values + at, {moments.mean.data(), moments.scale.data(), gain.values, shift.values},
                {residual.size() > 0 ? residual.values + at : nullptr, rectify}, 0, layout.pixels, layout.channels, y + at);
    });
  }
};

/**
 * dy, x [B, H, W, C], gain [C], y [B, H, W, C] if it was rectified, else [0] → dx [B, H, W, C], dgain [C], dshift [C], and dresidual
 * [B, H, W, C] if a residual was added, else [0]
 */
struct GroupNormGradient {
  explicit GroupNormGradient(const Attributes& attributes)
      : groups(attributes.integer("groups")), epsilon(attributes.real("epsilon")), added(attributes.boolean("added")) {}
  int groups;
  float epsilon;
  bool added;

  void operator()(Call& call) const {
    const Input dy = call.input(0), x = call.input(1), gain = call.input(2), y = call.input(3);
    const Layout layout = layoutOf(x, groups);
    require(gain.size() == layout.channels, "the gain must have as many elements as there are channels");
    require(dy.shape == x.shape, "dy must have the shape of x");
    require(y.size() == 0 || y.shape == x.shape, "y must have the shape of x");
    float* const dx = call.output(0, x.shape);
    float* const sums[] = {call.output(1, gain.shape), call.output(2, gain.shape)};
    float* const dresidual = call.output(3, added ? x.shape : std::vector<int64_t>{0});
    withRowSums(
        x.shape[0], layout.channels, sums,
        [&](int64_t picture, int64_t, float* partial) {
          const int64_t at = picture * layout.size();
          pictureGradient(layout, x.values + at, {dy.values + at, y.size() > 0 ? y.values + at : nullptr}, gain.values,
                          epsilon, dx + at, added ? dresidual + at : nullptr, partial, partial + layout.channels);
        },
        1);
  }
};

const bool declared =
    declare<GroupNorm>({"BasinGroupNorm",
                        {"groups: int", "epsilon: float", "rectify: bool"},
                        {"x", "gain", "shift", "residual"},
                        {"y"}}) &&
    declare<GroupNormGradient>({"BasinGroupNormGradient",
                                {"groups: int", "epsilon: float", "added: bool"},
                                {"dy", "x", "gain", "y"},
                                {"dx", "dgain", "dshift", "dresidual"}});

}  // namespace
}  // namespace basin
