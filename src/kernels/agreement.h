// Finds out for which products the kernels of skinny_linear.h give libtorch's bits.
//
// How libtorch adds up a product depends on its library, the processor, the shape, and the number of threads, and
// no document says how. So both compute products of some numbers, once for each shape and number of threads; where any
// bit differs, libtorch computes that shape from then on.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// Of the backward pass of a linear layer, as autograd does it, over contiguous float32 tensors.
struct Agreement {
  static constexpr int64_t kNone = -1;

  bool input_gradient = false;  // skinny_input_gradient has the bits of `gradient.mm(weight)`
  int64_t fused = kNone;        // and skinny_weight_gradient, given this, those of `gradient.t().mm(input)`
};

// For `rows` samples and a weight [outputs, inputs], at most 32 outputs, on as many threads as libtorch uses now.
Agreement agreement_on(int64_t rows, int64_t outputs, int64_t inputs);

}  // namespace incremental
