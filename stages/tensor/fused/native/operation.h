// What an operation of ours needs of TensorFlow's C interface for kernels: declaring itself, reading attributes and
// inputs, making outputs. Operations know nothing of TensorFlow beyond this header.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace basin {

/** What a call cannot be computed for; becomes TensorFlow's INVALID_ARGUMENT with this text. */
using InvalidArgument = std::invalid_argument;

inline void require(bool holds, const char* what) {
  if (!holds) throw InvalidArgument(what);
}

/** The attributes of a node, while its kernel is made. */
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction) : construction_(construction) {}
  int integer(const char* name) const;
  float real(const char* name) const;
  bool boolean(const char* name) const;

 private:
  TF_OpKernelConstruction* construction_;
};

struct Input {
  const float* values;
  std::vector<int64_t> shape;

  /** Number of elements. */
  int64_t size() const;
  /** Length of the last axis, and of all others together: a tensor as a matrix. */
  int64_t columns() const;
  int64_t rows() const;
};

/** One call of an operation: float32 tensors in C order. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}
  Call(const Call&) = delete;
  ~Call();
  Input input(int index);
  /** A new tensor, not initialised; valid as long as the call. */
  float* output(int index, const std::vector<int64_t>& shape);

 private:
  TF_OpKernelContext* context_;
  std::vector<TF_Tensor*> held_;
};

/** Inputs and outputs are names; all are float32. Attributes are written as TensorFlow does: "heads: int". */
struct Declaration {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
};

namespace detail {
bool declare(const Declaration&, void* (*create)(TF_OpKernelConstruction*), void (*compute)(void*, TF_OpKernelContext*),
             void (*destroy)(void*));
void failConstruction(TF_OpKernelConstruction*, const char* message);
void failCall(TF_OpKernelContext*, const char* message);
}  // namespace detail

/**
 * Makes `Kernel` an operation: `Kernel(const Attributes&)` once for a node, `void operator()(Call&) const` for each call. Put the
 * result in a static variable of the operation's file, so that loading the addon declares it.
 */
template <class Kernel>
bool declare(const Declaration& declaration) {
  return detail::declare(
      declaration,
      [](TF_OpKernelConstruction* construction) -> void* {
        try {
          return new Kernel(Attributes(construction));
        } catch (const std::exception& error) {
          detail::failConstruction(construction, error.what());
          return nullptr;
        }
      },
      [](void* kernel, TF_OpKernelContext* context) {
        try {
          Call call(context);
          (*static_cast<const Kernel*>(kernel))(call);
        } catch (const std::exception& error) {
          detail::failCall(context, error.what());
        }
      },
      [](void* kernel) { delete static_cast<Kernel*>(kernel); });
}

}  // namespace basin
