#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// ConstantLR of torch/optim/lr_scheduler.py.
class ConstantLR : public RateScheduler {
 public:
  ConstantLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups), factor_(choice.number("factor")), total_iters_(integer_of(choice, "totalIters")) {}

 private:
  std::vector<double> next_rates() override {
    if (last_epoch_ == 0) return scaled(factor_);
    if (last_epoch_ != total_iters_) return rates();
    return scaled(divided(1.0, factor_));
  }

  std::vector<double> closed_form() override {
    return base_scaled(factor_ + (last_epoch_ >= total_iters_ ? 1 : 0) * (1 - factor_));
  }

  double factor_;
  int64_t total_iters_;
};

}  // namespace

std::unique_ptr<Scheduler> make_constant_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<ConstantLR>(choice, groups);
}

}  // namespace incremental
