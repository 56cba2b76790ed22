// Optimizers: they update parameters from their gradients. A new one is a file of this folder and a line of
// optimizers.cc.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "src/core/choice.h"
#include "src/core/libtorch.h"

namespace incremental {

class Optimizer {
 public:
  // At least the largest absolute values of the parameters and of the state.
  struct Bounds {
    double weight, state;
  };

  virtual ~Optimizer() = default;

  // Updates the parameters from their gradients, then drops the gradients (zero_grad(set_to_none=True)).
  virtual void step() = 0;

  // For each parameter, what the optimizer remembers of it (sgd: its momentum buffer); undefined where there is nothing
  // yet.
  virtual std::vector<at::Tensor> state() const = 0;

  // Continues from a copy of such a state: a tensor for each parameter, or none at all. Throws ERR_STATE_MISMATCH where
  // one has another shape.
  virtual void restore(const std::vector<at::Tensor>& state) = 0;

  // Bounds after a step from `before` with finite gradients of at most this norm; nothing where that may overflow, or
  // where the optimizer does not know.
  virtual std::optional<Bounds> bounds_after(const Bounds& before, double gradient_norm) const { return std::nullopt; }
};

enum class OptimizerKernels {
  kExact,    // operation by operation as PyTorch's default on the CPU, to the last bit
  kCaptured  // nothing that waits for a device, so that a step can be part of a graph
};

// Throws ERR_INVALID_OPTION where there is no optimizer of this kind.
std::unique_ptr<Optimizer> make_optimizer(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          OptimizerKernels kernels = OptimizerKernels::kExact);

void drop_gradients(const std::vector<at::Tensor>& parameters);

}  // namespace incremental
