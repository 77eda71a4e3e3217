#include "fake-tensorflow.h"

#include <cstring>
#include <stdexcept>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

struct TSL_Status {
  TF_Code code = TF_OK;
  std::string message;
};

struct TF_Tensor {
  std::shared_ptr<FakeTensor> tensor;
};

struct TF_OpDefinitionBuilder {
  std::string name;
  int outputs = 0;
};

struct TF_KernelBuilder {
  void* (*create)(TF_OpKernelConstruction*);
  void (*compute)(void*, TF_OpKernelContext*);
  void (*destroy)(void*);
};

struct TF_OpKernelConstruction {
  const FakeAttributes* attributes;
  TF_Status failure;
};

struct TF_OpKernelContext {
  std::vector<std::shared_ptr<FakeTensor>> inputs, outputs;
  TF_Status failure;
};

namespace {

// Functions, because operations declare themselves while static variables are being made.
std::map<std::string, int>& outputsOf() {
  static std::map<std::string, int> counts;
  return counts;
}
std::map<std::string, std::unique_ptr<TF_KernelBuilder>>& kernels() {
  static std::map<std::string, std::unique_ptr<TF_KernelBuilder>> all;
  return all;
}

int64_t sizeOf(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t length : shape) size *= length;
  return size;
}

template <class Value>
void attribute(TF_OpKernelConstruction* construction, const char* name, Value* value, TF_Status* status) {
  const auto found = construction->attributes->find(name);
  if (found == construction->attributes->end()) return TF_SetStatus(status, TF_INVALID_ARGUMENT, name);
  std::visit([&](const auto given) { *value = static_cast<Value>(given); }, found->second);
}

}  // namespace

FakeTensor::FakeTensor(std::vector<int64_t> dims) : shape(std::move(dims)), values(new float[sizeOf(shape)]) {}
int64_t FakeTensor::size() const { return sizeOf(shape); }

std::vector<std::string> declaredOperations() {
  std::vector<std::string> names;
  for (const auto& [name, kernel] : kernels()) names.push_back(name);
  return names;
}

std::vector<std::shared_ptr<FakeTensor>> callOperation(const std::string& name, const FakeAttributes& attributes,
                                                       const std::vector<std::shared_ptr<FakeTensor>>& inputs) {
  const TF_KernelBuilder& kernel = *kernels().at(name);
  TF_OpKernelConstruction construction{&attributes, {}};
  void* const made = kernel.create(&construction);
  if (construction.failure.code != TF_OK) throw std::runtime_error(construction.failure.message);
  TF_OpKernelContext context{inputs, {}, {}};
  context.outputs.resize(outputsOf().at(name));
  kernel.compute(made, &context);
  kernel.destroy(made);
  if (context.failure.code != TF_OK) throw std::runtime_error(context.failure.message);
  return context.outputs;
}

extern "C" {

TF_Status* TF_NewStatus() { return new TF_Status; }
void TF_DeleteStatus(TF_Status* status) { delete status; }
void TF_SetStatus(TF_Status* status, TF_Code code, const char* message) { *status = {code, message}; }
TF_Code TF_GetCode(const TF_Status* status) { return status->code; }
const char* TF_Message(const TF_Status* status) { return status->message.c_str(); }

TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name) { return new TF_OpDefinitionBuilder{name}; }
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char*) {}
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder*, const char*) {}
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder* builder, const char*) { builder->outputs++; }
void TF_OpDefinitionBuilderSetShapeInferenceFunction(TF_OpDefinitionBuilder*,
                                                     void (*)(TF_ShapeInferenceContext*, TF_Status*)) {}
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder* builder, TF_Status*) {
  outputsOf()[builder->name] = builder->outputs;
  delete builder;
}
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext*, TF_Status*) {}

TF_KernelBuilder* TF_NewKernelBuilder(const char*, const char*, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*)) {
  return new TF_KernelBuilder{create, compute, destroy};
}
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status*) {
  kernels()[name].reset(builder);
}

void TF_OpKernelConstruction_GetAttrInt32(TF_OpKernelConstruction* c, const char* name, int32_t* value, TF_Status* s) {
  attribute(c, name, value, s);
}
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction* c, const char* name, float* value, TF_Status* s) {
  attribute(c, name, value, s);
}
void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction* c, const char* name, TF_Bool* value, TF_Status* s) {
  attribute(c, name, value, s);
}
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction* construction, TF_Status* status) {
  construction->failure = *status;
}
void TF_OpKernelContext_Failure(TF_OpKernelContext* context, TF_Status* status) { context->failure = *status; }

void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status*) {
  *tensor = new TF_Tensor{context->inputs.at(index)};
}
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType, const int64_t* dims, int rank, size_t,
                             TF_Status*) {
  const auto made = std::make_shared<FakeTensor>(std::vector<int64_t>(dims, dims + rank));
  context->outputs.at(index) = made;
  return new TF_Tensor{made};
}
void TF_DeleteTensor(TF_Tensor* tensor) { delete tensor; }
int TF_NumDims(const TF_Tensor* tensor) { return static_cast<int>(tensor->tensor->shape.size()); }
int64_t TF_Dim(const TF_Tensor* tensor, int axis) { return tensor->tensor->shape.at(axis); }
void* TF_TensorData(const TF_Tensor* tensor) { return tensor->tensor->values.get(); }

}  // extern "C"
