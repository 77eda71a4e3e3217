// Group normalisation of pictures (Wu & He 2018, equations 1 to 6): y = (x − mean) / √(variance + ε) · gain + shift, with mean and
// biased variance over all pixels of a group of channels in one picture; then, where asked for, a residual is added and negative
// values become 0. Channels come last. A task is a picture, which stays in the second-level cache for the passes over it; these go
// by blocks of pixels that stay in the first-level one, in which each vector of channels goes down all pixels. The gradient computes mean and
// scale anew from x, which costs less than keeping them.
#include <cmath>
#include <vector>

#include "operation.h"
#include "row-sums.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

/** A sum takes this many pixels before it is added to the others, so that rounding grows with neither number much. */
constexpr int64_t PIXEL_BLOCK = 32;

/** One picture. */
struct Layout {
  int64_t pixels, channels, groups;

  int64_t size() const { return pixels * channels; }
  int64_t groupChannels() const { return channels / groups; }
};

/** Calls `body(first, end, channel, lanes)`: a stretch of channels at offsets first, first + channels … below end. */
template <class Body>
void overPicture(const Layout& layout, const Body& body) {
  for (int64_t pixel = 0; pixel < layout.pixels; pixel += PIXEL_BLOCK) {
    const int64_t end = pixel + PIXEL_BLOCK < layout.pixels ? pixel + PIXEL_BLOCK : layout.pixels;
    alongRow(layout.channels, [&](int64_t channel, int64_t lanes) {
      body(pixel * layout.channels + channel, end * layout.channels, channel, lanes);
    });
  }
}

void addTo(float* sums, int64_t channel, int64_t lanes, Floats addend) {
  storeUpTo(sums + channel, loadUpTo(sums + channel, lanes) + addend, lanes);
}

/** Each channel's sum over pixels becomes `finish` of the mean of its group. */
template <class Finish>
void toGroupMeans(const Layout& layout, float* sums, const Finish& finish) {
  const int64_t each = layout.groupChannels();
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
  overPicture(layout, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    Floats sum{};
    for (int64_t at = first; at < end; at += layout.channels) sum += loadUpTo(x + at, lanes);
    addTo(moments.mean.data(), channel, lanes, sum);
  });
  toGroupMeans(layout, moments.mean.data());
  overPicture(layout, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(moments.mean.data() + channel, lanes);
    Floats squares{};
    for (int64_t at = first; at < end; at += layout.channels) {
      const Floats centred = loadUpTo(x + at, lanes) - mean;
      squares += centred * centred;
    }
    addTo(moments.scale.data(), channel, lanes, squares);
  });
  toGroupMeans(layout, moments.scale.data(), [&](float variance) { return 1.0f / std::sqrt(variance + epsilon); });
  return moments;
}

/** What follows the normalisation: `residual` is nothing where none is added. */
void normalise(const Layout& layout, const float* x, const float* gain, const float* shift, const float* residual,
               bool rectify, float epsilon, float* y) {
  const Moments moments = momentsOf(layout, x, epsilon);
  overPicture(layout, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(moments.mean.data() + channel, lanes),
                 scale = loadUpTo(moments.scale.data() + channel, lanes), factor = loadUpTo(gain + channel, lanes),
                 addend = loadUpTo(shift + channel, lanes);
    for (int64_t at = first; at < end; at += layout.channels) {
      Floats value = (loadUpTo(x + at, lanes) - mean) * scale * factor + addend;
      if (residual) value += loadUpTo(residual + at, lanes);
      if (rectify) value = value < 0.0f ? Floats{} : value;  // NaN stays NaN
      storeUpTo(y + at, value, lanes);
    }
  });
}

/**
 * The gradient through one picture: with x̂ the normalised picture, d = dy where y was not cut off (everywhere, if `y` is nothing),
 * g = d · gain and means over groups, dx = (g − mean(g) − x̂ · mean(g x̂)) · scale. Adds d x̂ and d of each channel to the sums for
 * gain and shift; their sums over groups are the means too. Writes d where a residual was added.
 */
void pictureGradient(const Layout& layout, const float* x, const float* dy, const float* y, const float* gain,
                     float epsilon, float* dx, float* dresidual, float* dgain, float* dshift) {
  const Moments moments = momentsOf(layout, x, epsilon);
  const auto derivative = [&](int64_t at, int64_t lanes) {
    const Floats d = loadUpTo(dy + at, lanes);
    return y ? (loadUpTo(y + at, lanes) > 0.0f ? d : Floats{}) : d;
  };
  overPicture(layout, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(moments.mean.data() + channel, lanes),
                 scale = loadUpTo(moments.scale.data() + channel, lanes);
    Floats sum{}, along{};
    for (int64_t at = first; at < end; at += layout.channels) {
      const Floats d = derivative(at, lanes);
      if (dresidual) storeUpTo(dresidual + at, d, lanes);
      sum += d;
      along += d * ((loadUpTo(x + at, lanes) - mean) * scale);
    }
    addTo(dshift, channel, lanes, sum);
    addTo(dgain, channel, lanes, along);
  });
  std::vector<float> meanG(layout.channels), meanAlong(layout.channels);
  for (int64_t channel = 0; channel < layout.channels; channel++) {
    meanG[channel] = dshift[channel] * gain[channel];
    meanAlong[channel] = dgain[channel] * gain[channel];
  }
  toGroupMeans(layout, meanG.data());
  toGroupMeans(layout, meanAlong.data());
  overPicture(layout, [&](int64_t first, int64_t end, int64_t channel, int64_t lanes) {
    const Floats mean = loadUpTo(moments.mean.data() + channel, lanes),
                 scale = loadUpTo(moments.scale.data() + channel, lanes), factor = loadUpTo(gain + channel, lanes),
                 ofG = loadUpTo(meanG.data() + channel, lanes), ofAlong = loadUpTo(meanAlong.data() + channel, lanes);
    for (int64_t at = first; at < end; at += layout.channels) {
      const Floats hat = (loadUpTo(x + at, lanes) - mean) * scale;
      storeUpTo(dx + at, (derivative(at, lanes) * factor - ofG - hat * ofAlong) * scale, lanes);
    }
  });
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
      normalise(layout, x.values + at, gain.values, shift.values, residual.size() > 0 ? residual.values + at : nullptr,
                rectify, epsilon, y + at);
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
          pictureGradient(layout, x.values + at, dy.values + at, y.size() > 0 ? y.values + at : nullptr, gain.values,
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
