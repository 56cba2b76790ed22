// Finds the samples that are to blame where a batch cannot be learned.
#pragma once
#include <cstdint>
#include <vector>

#include "src/core/libtorch.h"
#include "src/losses/loss.h"
#include "src/program/forward.h"
#include "src/program/program.h"

namespace incremental {

// For each sample whether its own output or loss is not finite, and whether its own gradient is not. `forward` is in
// evaluation mode, in which no sample changes another's output. The parameters are left without gradients.
std::vector<bool> without_finite_loss(Forward& forward, const Loss& loss, const at::Tensor& inputs,
                                      const at::Tensor& labels);
std::vector<bool> without_finite_gradient(Forward& forward, const Loss& loss, const at::Tensor& inputs,
                                          const at::Tensor& labels, const std::vector<at::Tensor>& parameters);

// The label of each sample that the model takes for the least likely.
at::Tensor least_likely(Forward& forward, const at::Tensor& inputs);

// For each row whether a number of it is not finite.
std::vector<bool> not_finite(const at::Tensor& rows);

// True where batch norm would see a single value of a channel where a sample of this shape is learned alone. PyTorch
// refuses that: there is no variance, and the running one becomes NaN.
bool needs_company(const Program& program, const std::vector<int64_t>& sample_shape);

}  // namespace incremental
