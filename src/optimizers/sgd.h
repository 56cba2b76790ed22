// Stochastic gradient descent, operation by operation as torch/optim/sgd.py does it on the CPU (_single_tensor_sgd), so
// that every bit agrees, but in one pass over memory where it can: also for fast mode.
#pragma once
#include <vector>

#include "src/core/choice.h"
#include "src/core/libtorch.h"

namespace incremental {

struct SgdOptions {
  double learning_rate, momentum, weight_decay;
  bool nesterov;
};

// Throws ERR_INVALID_OPTION where the optimizer is another one.
SgdOptions sgd_options(const Choice& choice);

class Sgd {
 public:
  // `momentum_buffers`: copied where a run goes on from a checkpoint; empty, or a tensor for each parameter, undefined
  // where it has none yet.
  Sgd(std::vector<at::Tensor> parameters, SgdOptions options, const std::vector<at::Tensor>& momentum_buffers = {});

  // Updates the parameters from their gradients, then drops the gradients (zero_grad(set_to_none=True)).
  void step();

  // For each parameter; undefined where it has none yet.
  const std::vector<at::Tensor>& momentum_buffers() const { return momentum_buffers_; }

 private:
  void update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;

  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // undefined until the first step
  SgdOptions options_;
};

}  // namespace incremental
