// Stochastic gradient descent, operation by operation as torch/optim/sgd.py does it on the CPU (_single_tensor_sgd), so
// that every bit agrees; or by ATen's fused kernel, as torch.optim.SGD(fused=True).
#pragma once
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

struct SgdOptions {
  double learning_rate = 0.001;
  double momentum = 0.9;
  double weight_decay = 0;
  bool nesterov = false;
  bool fused = false;  // one pass over the parameters: an ulp away from the others, here and there
};

class Sgd {
 public:
  // `momentum_buffers`: copied where a run goes on from a checkpoint; empty, or a tensor for each parameter, undefined
  // where it has none yet.
  Sgd(std::vector<at::Tensor> parameters, SgdOptions options, const std::vector<at::Tensor>& momentum_buffers = {});

  // Updates the parameters from their gradients, then drops the gradients (zero_grad(set_to_none=True)).
  void step();

  const std::vector<at::Tensor>& momentum_buffers() const { return momentum_buffers_; }

 private:
  void step_fused();
  bool can_update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;
  void update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;

  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // undefined until the first step
  SgdOptions options_;
};

}  // namespace incremental
