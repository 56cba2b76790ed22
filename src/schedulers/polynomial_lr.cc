#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// PolynomialLR of torch/optim/lr_scheduler.py.
class PolynomialLR : public RateScheduler {
 public:
  PolynomialLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups),
        total_iters_(static_cast<double>(integer_of(choice, "totalIters"))),
        power_(choice.number("power")) {}

 private:
  std::vector<double> next_rates() override {
    const auto step = static_cast<double>(last_epoch_);
    if (is_initial_ || step > total_iters_) return rates();
    const double left = (1.0 - divided(step, total_iters_)) / (1.0 - divided(step - 1, total_iters_));
    return scaled(std::pow(left, power_));
  }

  std::vector<double> closed_form() override {
    const double done = std::min(total_iters_, static_cast<double>(last_epoch_));
    return base_scaled(std::pow(1.0 - divided(done, total_iters_), power_));
  }

  double total_iters_, power_;
};

}  // namespace

std::unique_ptr<Scheduler> make_polynomial_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<PolynomialLR>(choice, groups);
}

}  // namespace incremental
