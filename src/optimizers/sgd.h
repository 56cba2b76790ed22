// Stochastic gradient descent, operation by operation as torch/optim/sgd.py does it on the CPU (_single_tensor_sgd), so
// that every bit agrees, but in one pass over memory where it can: also for fast mode.
#pragma once
#include <optional>
#include <vector>

#include "src/optimizers/optimizer.h"

namespace incremental {

struct SgdOptions {
  explicit SgdOptions(const Choice& choice);  // all of them

  double learning_rate, momentum, weight_decay;
  bool nesterov;
};

class Sgd : public Optimizer {
 public:
  using Options = SgdOptions;

  Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options);

  void step() override;
  std::vector<at::Tensor> state() const override { return momentum_buffers_; }
  void restore(const std::vector<at::Tensor>& momentum_buffers) override;
  std::optional<Bounds> bounds_after(const Bounds& before, double gradient_norm) const override;

 private:
  void update_at_once(const at::Tensor& parameter, const at::Tensor& buffer, const at::Tensor& gradient) const;

  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // undefined until the first step
  SgdOptions options_;
};

}  // namespace incremental
