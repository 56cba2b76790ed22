// Numbers that must stay finite: found without looking at all of them at every update.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "src/core/libtorch.h"
#include "src/optimizers/sgd.h"
#include "src/train/weights.h"

namespace incremental {

// Whether no value is infinite or NaN. Integers never are.
bool all_finite(const at::Tensor& tensor);

// Copies, undefined where a tensor is; and whether one of `now` holds what is not finite, though the same one of
// `before` did not.
std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& tensors);
bool lost_finiteness(const std::vector<at::Tensor>& before, const std::vector<at::Tensor>& now);

// Makes steps of SGD, but none that would leave a weight or a momentum buffer infinite or NaN that was not before.
// Bounds of what they hold grow with every step, so that the numbers themselves are looked at only where these come
// near the largest that there is.
class GuardedSteps {
 public:
  // `gradient_norm`: at least that of the gradients, which are finite. Returns whether the step was made; where it was
  // not, weights and momentum are as they were. The gradients are dropped either way.
  bool step(std::unique_ptr<Sgd>& optimizer, const Weights& weights, const SgdOptions& options, double gradient_norm);

  // Something else changed the weights or the momentum.
  void forget() { bounds_.reset(); }

 private:
  // The largest absolute values, or more.
  struct Bounds {
    double weight, momentum;
  };
  static Bounds measured(const Sgd& optimizer, const Weights& weights);
  // After a step from `before`; nothing where that may overflow.
  static std::optional<Bounds> after(const Bounds& before, const SgdOptions& options, double gradient_norm);

  std::optional<Bounds> bounds_;
};

}  // namespace incremental
