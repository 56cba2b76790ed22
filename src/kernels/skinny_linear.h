// Linear layers with few outputs over many inputs, such as the last one over a flattened image: what they cost is
// reading the inputs, which happens here once a pass. Equal calls on the same number of threads give the same bits.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// Whether skinny_linear computes at::linear(input, weight, bias): input [N, K], float32 or bfloat16, and weight
// [M, K], float32, on the CPU, M at most 32, nothing empty. Not whether it is faster.
bool skinny_linear_fits(const at::Tensor& input, const at::Tensor& weight);

// Whether skinny_linear, forwards and backwards, is faster than at::linear.
bool skinny_linear_wins(const at::Tensor& input, const at::Tensor& weight);

// at::linear for tensors that skinny_linear_fits, in float32 whatever the input is; `bias`, float32, may be undefined.
// Autograd goes through it once.
at::Tensor skinny_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace incremental
