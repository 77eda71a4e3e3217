#include "operation.h"

#include <cstdio>

namespace basin {
namespace {

/** A TF_Status for one question. */
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  Status(const Status&) = delete;
  ~Status() { TF_DeleteStatus(status_); }
  operator TF_Status*() { return status_; }
  void check() const {
    if (TF_GetCode(status_) != TF_OK) throw InvalidArgument(TF_Message(status_));
  }
  void set(const char* message) { TF_SetStatus(status_, TF_INVALID_ARGUMENT, message); }

 private:
  TF_Status* status_;
};

/** Graphs ask every operation for a shape function; "unknown" is an answer. */
void unknownShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

int64_t sizeOf(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t length : shape) size *= length;
  return size;
}

}  // namespace

int Attributes::integer(const char* name) const {
  Status status;
  int32_t value = 0;
  TF_OpKernelConstruction_GetAttrInt32(construction_, name, &value, status);
  status.check();
  return value;
}

float Attributes::real(const char* name) const {
  Status status;
  float value = 0;
  TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status);
  status.check();
  return value;
}

bool Attributes::boolean(const char* name) const {
  Status status;
  unsigned char value = 0;
  TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status);
  status.check();
  return value != 0;
}

int64_t Input::size() const { return sizeOf(shape); }
int64_t Input::columns() const { return shape.empty() ? 1 : shape.back(); }
int64_t Input::rows() const {
  int64_t rows = 1;
  for (size_t axis = 0; axis + 1 < shape.size(); axis++) rows *= shape[axis];
  return rows;
}

Call::~Call() {
  for (TF_Tensor* tensor : held_) TF_DeleteTensor(tensor);
}

Input Call::input(int index) {
  Status status;
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context_, index, &tensor, status);
  status.check();
  held_.push_back(tensor);
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return {static_cast<const float*>(TF_TensorData(tensor)), shape};
}

float* Call::output(int index, const std::vector<int64_t>& shape) {
  Status status;
  TF_Tensor* tensor = TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(), static_cast<int>(shape.size()),
                                        sizeOf(shape) * sizeof(float), status);
  status.check();
  held_.push_back(tensor);
  return static_cast<float*>(TF_TensorData(tensor));
}

bool detail::declare(const Declaration& declaration, void* (*create)(TF_OpKernelConstruction*),
                     void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*)) {
  Status status;
  TF_OpDefinitionBuilder* operation = TF_NewOpDefinitionBuilder(declaration.name);
  for (const char* attribute : declaration.attributes) TF_OpDefinitionBuilderAddAttr(operation, attribute);
  for (const char* input : declaration.inputs)
    TF_OpDefinitionBuilderAddInput(operation, (std::string(input) + ": float").c_str());
  for (const char* output : declaration.outputs)
    TF_OpDefinitionBuilderAddOutput(operation, (std::string(output) + ": float").c_str());
  TF_OpDefinitionBuilderSetShapeInferenceFunction(operation, unknownShapes);
  TF_RegisterOpDefinition(operation, status);
  if (TF_GetCode(status) == TF_OK)
    TF_RegisterKernelBuilder(declaration.name, TF_NewKernelBuilder(declaration.name, "CPU", create, compute, destroy),
                             status);
  // Only a mistake of ours in a declaration: the operation is then absent, which the set-up's self-test reports.
  if (TF_GetCode(status) != TF_OK) std::fprintf(stderr, "basin: operation %s: %s\n", declaration.name, TF_Message(status));
  return TF_GetCode(status) == TF_OK;
}

void detail::failConstruction(TF_OpKernelConstruction* construction, const char* message) {
  Status status;
  status.set(message);
  TF_OpKernelConstruction_Failure(construction, status);
}

void detail::failCall(TF_OpKernelContext* context, const char* message) {
  Status status;
  status.set(message);
  TF_OpKernelContext_Failure(context, status);
}

}  // namespace basin
