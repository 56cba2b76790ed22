// Finds the samples that are to blame where a batch cannot be learned.
#pragma once
#include <cstdint>
#include <vector>

#include "src/batches/batches.h"
#include "src/core/libtorch.h"
#include "src/losses/loss.h"
#include "src/program/forward.h"
#include "src/program/program.h"

namespace incremental {

// Buffers as they are now, to be put back after a program has written into them; by default none.
class KeptBuffers {
 public:
  KeptBuffers() = default;
  explicit KeptBuffers(const std::vector<at::Tensor>& buffers);
  void put_back() const;
  const std::vector<at::Tensor>& before() const { return before_; }

 private:
  std::vector<at::Tensor> buffers_, before_;
};

// For each sample whether its own output or loss is not finite, and whether its own gradient is not. `forward` is in
// evaluation mode, in which no sample changes another's output. The parameters are left without gradients.
std::vector<bool> without_finite_loss(Forward& forward, Loss& loss, const Batch& batch, const KeptBuffers& buffers);
std::vector<bool> without_finite_gradient(Forward& forward, Loss& loss, const Batch& batch,
                                          const std::vector<at::Tensor>& parameters, const KeptBuffers& buffers);

// The same samples, each with the target that the model takes for the least likely; of a loss that has classes.
Batch with_least_likely(Forward& forward, const Loss& loss, const Batch& batch, const KeptBuffers& buffers);

// For each row whether a number of it is not finite.
std::vector<bool> not_finite(const at::Tensor& rows);

// True where batch norm would see a single value of a channel where a sample of this shape is learned alone. PyTorch
// refuses that: there is no variance, and the running one becomes NaN.
bool needs_company(const Program& program, const std::vector<InputForm>& inputs);

}  // namespace incremental
