// Linear layers with few outputs over many inputs, such as the last one over a flattened image: what they cost is
// reading the inputs, which happens here once a pass. Equal calls on the same number of threads give the same bits.
#pragma once
#include "src/core/libtorch.h"

namespace incremental {

// True where skinny_linear computes at::linear(input, weight, bias): input [N, K], float32 or bfloat16, and weight
// [M, K], float32, on the CPU, M at most 32, nothing empty. Not whether it is faster.
bool skinny_linear_fits(const at::Tensor& input, const at::Tensor& weight);

// True where skinny_linear, forwards and backwards, is faster than at::linear: for N = `rows` where it fits.
bool skinny_linear_wins(int64_t rows, int64_t outputs, int64_t inputs);

// at::linear for tensors that skinny_linear_fits, in float32 whatever the input is; `bias`, float32, may be undefined.
// Autograd goes through it once.
at::Tensor skinny_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias);

// The products of its backward pass in float32, sums beginning at 0 and in order; `gradient` [N, M], contiguous.
// gradient × weight, [M, K], into `to`, [N, K]; a product and its sum are rounded at once.
void skinny_input_gradient(const at::Tensor& gradient, const float* weight, int64_t inputs, float* to);
// gradient transposed × input, [N, K]; a product and its sum are rounded at once for the first `fused` of the M
// outputs, each by itself for the others.
at::Tensor skinny_weight_gradient(const at::Tensor& gradient, const at::Tensor& input, int64_t fused);

}  // namespace incremental
