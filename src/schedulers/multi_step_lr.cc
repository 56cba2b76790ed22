#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// MultiStepLR of torch/optim/lr_scheduler.py.
class MultiStepLR : public RateScheduler {
 public:
  MultiStepLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups), milestones_(choice.numbers("milestones")), gamma_(choice.number("gamma")) {}

 private:
  std::vector<double> next_rates() override {
    const auto now = std::equal_range(milestones_.begin(), milestones_.end(), static_cast<double>(last_epoch_));
    if (now.first == now.second) return rates();
    return scaled(std::pow(gamma_, static_cast<double>(now.second - now.first)));
  }

  std::vector<double> closed_form() override {
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), static_cast<double>(last_epoch_));
    return base_scaled(std::pow(gamma_, static_cast<double>(next - milestones_.begin())));
  }

  std::vector<double> milestones_;  // from the first to the last
  double gamma_;
};

}  // namespace

std::unique_ptr<Scheduler> make_multi_step_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<MultiStepLR>(choice, groups);
}

}  // namespace incremental
