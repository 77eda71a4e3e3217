// As much of TensorFlow's C interface as stages/tensor/fused/native calls, so that its operations run in a program of their own:
// under sanitizers, which TensorFlow's libraries do not bear, and with every tensor in a block of exactly its size.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

struct FakeTensor {
  std::vector<int64_t> shape;
  std::unique_ptr<float[]> values;

  explicit FakeTensor(std::vector<int64_t> dims);
  int64_t size() const;
};

using FakeAttributes = std::map<std::string, std::variant<int, float, bool>>;

/** Calls a declared operation as TensorFlow would. Throws std::runtime_error with what the operation reports as an error. */
std::vector<std::shared_ptr<FakeTensor>> callOperation(const std::string& name, const FakeAttributes& attributes,
                                                       const std::vector<std::shared_ptr<FakeTensor>>& inputs);

/** Names of all operations that have been declared, in order. */
std::vector<std::string> declaredOperations();
