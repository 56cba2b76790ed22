// SGD as src/optimizers/sgd.h, all parameters in one kernel, as torch.optim.SGD(fused=True), for devices. Differs from
// it in the last bit. Nothing here asks the host for a decision, so that a step can be part of a graph.
#pragma once
#include <vector>

#include "src/optimizers/sgd.h"

namespace incremental {

class FusedSgd : public Optimizer {
 public:
  FusedSgd(std::vector<at::Tensor> parameters, const SgdOptions& options);

  // Its first step takes no buffer for one of zeros, which dampening would make something else of.
  static bool computes(const SgdOptions& options) { return options.dampening == 0; }

  void step() override;
  void set_options(const Choice& choice) override { options_ = SgdOptions(choice); }
  bool is_capturable() const override { return true; }
  std::vector<Slots> state() const override;
  void restore(const std::vector<Slots>& state) override;

 private:
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> momentum_buffers_;  // 0 at first, which makes the first step what it is in PyTorch
  // Of each parameter and its buffer, the pieces that the kernel gets.
  std::vector<std::vector<at::Tensor>> parameter_pieces_, buffer_pieces_;
  std::vector<bool> used_;
  SgdOptions options_;
};

}  // namespace incremental
