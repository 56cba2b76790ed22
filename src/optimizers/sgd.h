// Stochastic gradient descent, operation by operation as torch/optim/sgd.py does it on the CPU (_single_tensor_sgd), so
// that every bit agrees, but in one pass over memory where it can: also for fast mode.
#pragma once
#include <optional>
#include <vector>

#include "src/optimizers/by_parameter.h"

namespace incremental {

struct SgdOptions {
  explicit SgdOptions(const Choice& choice);  // all of them

  double learning_rate, momentum, dampening, weight_decay;
  bool nesterov, maximize;
};

class Sgd : public ByParameter {
 public:
  Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options);

  void set_options(const Choice& choice) override { options_ = SgdOptions(choice); }
  std::optional<Bounds> bounds_after(const Bounds& before, double gradient_norm) const override;

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>& slots) const override;
  template <bool kDecay, bool kNesterov>
  void update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;

  SgdOptions options_;
};

}  // namespace incremental
