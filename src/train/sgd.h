// Stochastic gradient descent, operation by operation as torch/optim/sgd.py does it on the CPU (_single_tensor_sgd), so
// that every bit agrees. The fused kernel differs by an ulp: fused_sgd.h.
#pragma once
#include <vector>

#include "src/train/optimizer.h"

namespace incremental {

struct SgdOptions {
  double learning_rate = 0.001;
  double momentum = 0.9;
  double weight_decay = 0;
  bool nesterov = false;
};

class Sgd : public Optimizer {
 public:
  // `momentum_buffers`: copied where a run goes on from a checkpoint; empty, or a tensor for each parameter, undefined
  // where it has none yet.
  Sgd(std::vector<at::Tensor> parameters, SgdOptions options, const std::vector<at::Tensor>& momentum_buffers = {});

  void step() override;

  std::vector<at::Tensor> momentum_buffers() const override { return momentum_buffers_; }

 private:
  bool can_update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;
  void update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;

  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // undefined until the first step
  SgdOptions options_;
};

}  // namespace incremental
