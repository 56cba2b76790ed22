// Optimizers: they update parameters from their gradients. A new one is a file of this folder and a line of
// optimizers.cc.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "src/core/choice.h"
#include "src/core/libtorch.h"
#include "src/state/state_dict.h"

namespace incremental {

// The memory of an optimizer for one parameter, under torch.optim's names, such as `exp_avg`; empty before its first
// step.
using Slots = StateDict;

class Optimizer {
 public:
  // At least the largest absolute values of the parameters and of the state.
  struct Bounds {
    double weight, state;
  };

  // For these bounds: far enough below the largest float for every rounding on the way, and what that adds.
  static constexpr double kLargest = static_cast<double>(std::numeric_limits<float>::max()) / 16;
  static constexpr double kRounding = 1.0001;

  virtual ~Optimizer() = default;

  // Updates the parameters from their gradients, then drops the gradients (zero_grad(set_to_none=True)).
  virtual void step() = 0;

  // Computes by other numbers from the next step on. What the optimizer began with, such as whether it has amsgrad's
  // slot or maximises, stays.
  virtual void set_options(const Choice& choice) = 0;

  // For each parameter. The tensors are the optimizer's own.
  virtual std::vector<Slots> state() const = 0;

  // Continues from a copy of such a state: slots for each parameter, or none at all. Slots that are missing begin as in
  // PyTorch. Throws ERR_STATE_MISMATCH where one is unknown or has another shape.
  virtual void restore(const std::vector<Slots>& state) = 0;

  // True where a step waits for nothing that the host computes, so that it can be part of a device's graph.
  virtual bool is_capturable() const { return false; }

  // Bounds after a step from `before` with finite gradients of at most this norm; nothing where that may overflow, or
  // where the optimizer does not know.
  virtual std::optional<Bounds> bounds_after(const Bounds& before, double gradient_norm) const { return std::nullopt; }
};

enum class OptimizerKernels {
  kExact,    // operation by operation as PyTorch's default on the CPU, to the last bit
  kFast,     // the same but for roundings, where that saves passes over memory
  kCaptured  // fast, and capturable where the optimizer has such kernels
};

// The shapes of parameters as their state has them.
using ParameterShapes = std::vector<std::vector<int64_t>>;

// `shapes`: of the parameters, where fast mode keeps some of them otherwise (ProgramTensor::image_shape); empty: those
// of the tensors. Throws ERR_INVALID_OPTION where there is no optimizer of this kind, or it does not take a shape.
std::unique_ptr<Optimizer> make_optimizer(const Choice& choice, const std::vector<at::Tensor>& parameters,
                                          OptimizerKernels kernels = OptimizerKernels::kExact,
                                          ParameterShapes shapes = {});

void drop_gradients(const std::vector<at::Tensor>& parameters);

}  // namespace incremental
