// Keeps numbers finite without reading all of them at every update.
#pragma once
#include <optional>
#include <vector>

#include "src/core/libtorch.h"
#include "src/optimizers/parameter_groups.h"
#include "src/train/weights.h"

namespace incremental {

// True where no value is infinite or NaN. Integers never are.
bool all_finite(const at::Tensor& tensor);

// Copies, undefined where a tensor is; and whether one of `now` holds what is not finite, though the same one of
// `before` did not.
std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& tensors);
bool lost_finiteness(const std::vector<at::Tensor>& before, const std::vector<at::Tensor>& now);

// Makes steps of an optimizer, but none that would leave a weight or a number of its state infinite or NaN that was not
// before. Bounds of both grow with every step, so that the numbers themselves are read only where the bounds come near
// the largest that there is.
class GuardedSteps {
 public:
  // `gradient_norm`: at least that of the gradients, which are finite. Returns whether the step was made; where it was
  // not, weights and state are as they were. The gradients are dropped either way. `averaged`: nor is a step
  // made to weights so large that an average of them and others may overflow.
  bool step(ParameterGroups& optimizer, const Weights& weights, double gradient_norm, bool averaged);

  // Something else changed the weights or the optimizer's state.
  void forget() { bounds_.reset(); }

 private:
  std::optional<Optimizer::Bounds> bounds_;
};

}  // namespace incremental
