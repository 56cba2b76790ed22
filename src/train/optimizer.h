// What the training loops ask of an optimizer: sgd.h, fused_sgd.h.
#pragma once
#include <vector>

#include "src/core/libtorch.h"

namespace incremental {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Updates the parameters from their gradients, then drops the gradients (zero_grad(set_to_none=True)).
  virtual void step() = 0;

  // For each parameter; undefined where it has none yet.
  virtual std::vector<at::Tensor> momentum_buffers() const = 0;
};

}  // namespace incremental
