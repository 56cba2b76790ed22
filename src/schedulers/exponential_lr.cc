#include <cmath>
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// ExponentialLR of torch/optim/lr_scheduler.py.
class ExponentialLR : public RateScheduler {
 public:
  ExponentialLR(const Choice& choice, Groups& groups) : RateScheduler(groups), gamma_(choice.number("gamma")) {}

 private:
  std::vector<double> next_rates() override { return is_initial_ ? rates() : scaled(gamma_); }

  std::vector<double> closed_form() override { return base_scaled(std::pow(gamma_, static_cast<double>(last_epoch_))); }

  double gamma_;
};

}  // namespace

std::unique_ptr<Scheduler> make_exponential_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<ExponentialLR>(choice, groups);
}

}  // namespace incremental
