// Linear layers of few outputs over many inputs, for exact mode: the same bits as aten::linear and its autograd, in
// less time backwards.
#pragma once
#include "src/program/program.h"

namespace incremental {

// at::linear(input, weight, bias); autograd goes through it once. `input` may be images in oneDNN's blocked layout
// whose rows are meant, and that nothing else reads: their gradient is then written into their own memory, in that
// layout.
at::Tensor exact_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias);

// The program with exact_linear for its linear layers in training, reading what with_blocked_convolutions left in the
// blocked layout as it is.
Program with_exact_linear(const Program& program);

}  // namespace incremental
