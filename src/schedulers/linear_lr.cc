#include <algorithm>
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// LinearLR of torch/optim/lr_scheduler.py.
class LinearLR : public RateScheduler {
 public:
  LinearLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups),
        start_factor_(choice.number("startFactor")),
        end_factor_(choice.number("endFactor")),
        total_iters_(integer_of(choice, "totalIters")) {}

 private:
  std::vector<double> next_rates() override {
    if (last_epoch_ == 0) return scaled(start_factor_);
    if (is_initial_ || last_epoch_ > total_iters_) return rates();
    const double change = end_factor_ - start_factor_;
    const double before =
        static_cast<double>(total_iters_) * start_factor_ + static_cast<double>(last_epoch_ - 1) * change;
    return scaled(1.0 + divided(change, before));
  }

  std::vector<double> closed_form() override {
    const auto done = static_cast<double>(std::min(total_iters_, last_epoch_));
    const double change = end_factor_ - start_factor_;
    return base_scaled(start_factor_ + divided(change * done, static_cast<double>(total_iters_)));
  }

  double start_factor_, end_factor_;
  int64_t total_iters_;
};

}  // namespace

std::unique_ptr<Scheduler> make_linear_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<LinearLR>(choice, groups);
}

}  // namespace incremental
