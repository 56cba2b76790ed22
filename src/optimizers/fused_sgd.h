// SGD as src/optimizers/sgd.h, all parameters in one kernel, as torch.optim.SGD(fused=True), for devices. Differs from
// it in the last bit. Nothing here asks the host for a decision, so that a step can be part of a graph.
#pragma once
#include <vector>

#include "src/optimizers/sgd.h"

namespace incremental {

class FusedSgd : public Optimizer {
 public:
  using Options = SgdOptions;

  FusedSgd(std::vector<at::Tensor> parameters, const SgdOptions& options);

  void step() override;
  std::vector<at::Tensor> state() const override;
  void restore(const std::vector<at::Tensor>& momentum_buffers) override;

 private:
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // 0 at first, which makes the first step what it is in PyTorch
  // Of each parameter and its buffer, the pieces that the kernel gets.
  std::vector<std::vector<at::Tensor>> parameter_pieces_, buffer_pieces_;
  std::vector<bool> used_;
  SgdOptions options_;
};

}  // namespace incremental
