// Runs every operation on shapes that end within a vector, at one and behind one; a sanitizer it is compiled with ends it at the first
// fault. It prints the names of the operations that it ran.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>

#include "fake-tensorflow.h"

namespace {

using Tensor = std::shared_ptr<FakeTensor>;
std::set<std::string> ran;

Tensor noise(std::vector<int64_t> shape) {
  static uint32_t state = 1;
  const auto tensor = std::make_shared<FakeTensor>(std::move(shape));
  for (int64_t i = 0; i < tensor->size(); i++) {
    state = state * 1664525u + 1013904223u;
    tensor->values[i] = static_cast<float>(state) / 2147483648.0f - 1.0f;
  }
  return tensor;
}

std::vector<Tensor> call(const std::string& name, const std::vector<Tensor>& inputs,
                         const FakeAttributes& attributes = {}) {
  ran.insert(name);
  const auto outputs = callOperation(name, attributes, inputs);
  for (const Tensor& output : outputs)
    for (int64_t i = 0; i < output->size(); i++)
      if (!(output->values[i] > -1e30f && output->values[i] < 1e30f)) {
        std::fprintf(stderr, "%s gave %g\n", name.c_str(), output->values[i]);
        std::exit(1);
      }
  return outputs;
}

void rows(int64_t count, int64_t width) {
  const Tensor x = noise({count, width}), y = noise({count, width}), bias = noise({width}), gain = noise({width});
  const FakeAttributes epsilon = {{"epsilon", 1e-6f}};
  call("BasinBiasGelu", {x, bias});
  call("BasinBiasGeluGradient", {y, x, bias});
  call("BasinLayerNorm", {x, gain, bias}, epsilon);
  call("BasinLayerNormGradient", {y, x, gain}, epsilon);
  call("BasinAddNorm", {x, bias, y, gain, bias}, epsilon);
  call("BasinAddNormGradient", {x, y, x, gain}, epsilon);
}

void pictures(int64_t count, int64_t side, int groups, int64_t each) {
  const std::vector<int64_t> shape = {count, side, side + 1, groups * each};
  const Tensor x = noise(shape), residual = noise(shape), gain = noise({groups * each}), none = noise({0});
  for (const bool both : {false, true}) {
    const Tensor added = both ? residual : none;
    const auto y = call("BasinGroupNorm", {x, gain, gain, added},
                        {{"groups", groups}, {"epsilon", 1e-5f}, {"rectify", both}});
    call("BasinGroupNormGradient", {residual, x, gain, both ? y.at(0) : none},
         {{"groups", groups}, {"epsilon", 1e-5f}, {"added", both}});
    const auto batch = call("BasinBatchNorm", {x, gain, gain, added}, {{"epsilon", 1e-5f}, {"rectify", both}});
    call("BasinBatchNormGradient", {residual, x, gain, batch.at(1), batch.at(2), both ? batch.at(0) : none},
         {{"epsilon", 1e-5f}, {"added", both}});
  }
}

void convolution(int64_t side, int filter, int stride, int64_t channels, int64_t outputs) {
  const int64_t out = (side + stride - 1) / stride;
  for (const int top : {0, filter / 2, side > 6 ? 0 : filter + 2})
    call("BasinFilterGradient", {noise({3, side, side + 1, channels}), noise({3, out, out + 1, outputs})},
         {{"filter_height", filter}, {"filter_width", filter + 1}, {"stride_height", stride}, {"stride_width", stride},
          {"top", top}, {"left", filter / 2}});
}

void attention(int64_t images, int heads, int tokens, int64_t size) {
  const int64_t width = heads * size;
  const FakeAttributes shape = {{"heads", heads}, {"tokens", tokens}};
  const Tensor qkv = noise({images * tokens, 3 * width}), bias = noise({3 * width});
  const auto all = call("BasinAttention", {qkv, bias}, shape);
  call("BasinAttentionGradient", {noise({images * tokens, width}), qkv, bias, all.at(1)}, shape);
  const Tensor query = noise({images, width}), queryBias = noise({width}), kv = noise({images * tokens, 2 * width}),
               kvBias = noise({2 * width});
  const auto one = call("BasinRowAttention", {query, queryBias, kv, kvBias}, shape);
  call("BasinRowAttentionGradient", {noise({images, width}), query, queryBias, kv, kvBias, one.at(1)}, shape);
}

void vectors(int64_t size) {
  const Tensor flat = noise({size}), gradient = noise({size}), m = noise({size}), ones = noise({size});
  Tensor v = noise({size});
  for (int64_t i = 0; i < size; i++) v->values[i] *= v->values[i];
  const Tensor scalar = noise({});
  scalar->values[0] = 0.5f;
  const FakeAttributes betas = {
      {"beta1", 0.9f}, {"rest1", 0.1f}, {"beta2", 0.999f}, {"rest2", 0.001f}, {"epsilon", 1e-8f}};
  call("BasinNorm", {gradient});
  for (const Tensor& decays : {noise({0}), ones})
    call("BasinAdamW", {flat, m, v, gradient, decays, scalar, scalar, scalar, scalar}, betas);
  const Tensor longer = noise({size + 3});
  call("BasinWindowMean", {v, longer, longer, scalar});
}

void products(int64_t rows, int64_t inner, int64_t columns) {
  for (const bool left : {false, true})
    for (const bool right : {false, true})
      for (const int arithmetic : {0, 1, 2}) {
        const Tensor a = noise(left ? std::vector<int64_t>{inner, rows} : std::vector<int64_t>{rows, inner});
        const Tensor b = noise(right ? std::vector<int64_t>{columns, inner} : std::vector<int64_t>{inner, columns});
        call("BasinProduct", {a, b},
             {{"transpose_left", left}, {"transpose_right", right}, {"arithmetic", arithmetic}});
      }
}

/** What does not fit is refused, not computed. */
void refusal(const std::string& name, const std::vector<Tensor>& inputs, const FakeAttributes& attributes = {}) {
  try {
    callOperation(name, attributes, inputs);
  } catch (const std::runtime_error&) {
    return;
  }
  std::fprintf(stderr, "%s took what does not fit\n", name.c_str());
  std::exit(1);
}

}  // namespace

int main() {
  call("BasinThreads", {});
  for (const int64_t count : {1, 31, 33, 70})
    for (const int64_t width : {3, 16, 17, 48}) rows(count, width);
  for (const int64_t side : {1, 6, 12})
    for (const int groups : {1, 3, 16}) pictures(5, side, groups, 2);
  for (const int64_t side : {1, 6, 30})
    for (const int filter : {1, 3})
      for (const int stride : {1, 2})
        for (const int64_t width : {1, 16, 37}) convolution(side, filter, stride, 13, width);
  for (const int tokens : {1, 5, 16, 17, 65, 100})
    for (const int64_t size : {16, 48, 80}) attention(2, 2, tokens, size);
  for (const int64_t size : {1, 16, 17, 16384, 40000}) vectors(size);
  for (const int64_t rows : {1, 7, 97})
    for (const int64_t inner : {1, 33, 530})
      for (const int64_t columns : {1, 33, 130}) products(rows, inner, columns);
  const FakeAttributes plain = {{"transpose_left", false}, {"transpose_right", false}, {"arithmetic", 0}};
  refusal("BasinProduct", {noise({3, 4}), noise({5, 3})}, plain);
  refusal("BasinProduct", {noise({3, 4}), noise({4})}, plain);
  refusal("BasinProduct", {noise({0, 4}), noise({4, 3})}, plain);
  refusal("BasinBiasGelu", {noise({3, 4}), noise({5})});
  refusal("BasinAddNorm", {noise({3, 4}), noise({4}), noise({3, 5}), noise({4}), noise({4})}, {{"epsilon", 1e-6f}});
  refusal("BasinGroupNorm", {noise({2, 3, 3, 8}), noise({8}), noise({8}), noise({0})},
          {{"groups", 3}, {"epsilon", 1e-5f}, {"rectify", false}});
  refusal("BasinBatchNorm", {noise({2, 3, 3, 8}), noise({8}), noise({8}), noise({2, 3, 3, 1})},
          {{"epsilon", 1e-5f}, {"rectify", false}});
  const FakeAttributes windows = {{"filter_height", 3}, {"filter_width", 3}, {"stride_height", 1},
                                  {"stride_width", 1},  {"top", 1},          {"left", 1}};
  refusal("BasinFilterGradient", {noise({2, 4, 4, 3}), noise({3, 4, 4, 5})}, windows);
  refusal("BasinFilterGradient", {noise({2, 4, 4, 3}), noise({2, 16, 5})}, windows);
  refusal("BasinAttention", {noise({10, 48}), noise({48})}, {{"heads", 2}, {"tokens", 5}});
  refusal("BasinAttention", {noise({10, 48}), noise({48})}, {{"heads", 1}, {"tokens", 3}});
  refusal("BasinAttention", {noise({10, 48}), noise({48})});
  for (const std::string& name : declaredOperations())
    if (ran.count(name) == 0) {
      std::fprintf(stderr, "%s was not run\n", name.c_str());
      return 1;
    }
  for (const std::string& name : ran) std::printf("%s\n", name.c_str());
}
