// An exponential moving average over steps, as get_ema_multi_avg_fn() of torch/optim/swa_utils.py computes it.
#include "src/averages/members.h"

namespace incremental {
namespace {

class Ema : public Average {
 public:
  explicit Ema(double decay) : decay_(decay) {}

  void after_step(const std::vector<at::Tensor>& weights) override { add(weights); }

 private:
  void average(const at::Tensor& averaged, const at::Tensor& weight) const override {
    averaged.lerp_(weight, 1 - decay_);
  }

  double decay_;
};

}  // namespace

std::unique_ptr<Average> make_ema(const Choice& choice) { return std::make_unique<Ema>(choice.number("decay")); }

}  // namespace incremental
