// Products of two matrices, either of them transposed.
#include "operation.h"
#include "product.h"

namespace basin {
namespace {

/** A matrix whose `outer` axis the result has too: its rows, or its columns. */
struct Matrix {
  Operand operand;
  int64_t outer, inner;
};

Matrix matrixOf(const Input& input, bool outerIsColumns) {
  require(input.shape.size() == 2, "the operands of a product must be matrices");
  require(input.size() > 0, "the operands of a product must not be empty");
  const int64_t columns = input.columns();
  if (outerIsColumns) return {{input.values, 1, columns}, columns, input.rows()};
  return {{input.values, columns, 1}, input.rows(), columns};
}

/** left [M, K] or, transposed, [K, M]; right [K, N] or, transposed, [N, K] → left · right [M, N]. */
struct ProductOperation {
  explicit ProductOperation(const Attributes& attributes)
      : transposesLeft(attributes.boolean("transpose_left")),
        transposesRight(attributes.boolean("transpose_right")),
        arithmetic(static_cast<Arithmetic>(attributes.integer("arithmetic"))) {}

  void operator()(Call& call) const {
    const Matrix left = matrixOf(call.input(0), transposesLeft);
    const Matrix right = matrixOf(call.input(1), !transposesRight);
    require(left.inner == right.inner, "the operands of a product must agree in the axis that is summed");
    float* const result = call.output(0, {left.outer, right.outer});
    multiply({left.operand, right.operand, left.outer, right.outer, left.inner, result}, arithmetic);
  }

  const bool transposesLeft, transposesRight;
  const Arithmetic arithmetic;
};

const bool declared = declare<ProductOperation>({"BasinProduct",
                                                 {"transpose_left: bool", "transpose_right: bool", "arithmetic: int"},
                                                 {"left", "right"},
                                                 {"product"}});

}  // namespace
}  // namespace basin
