#include <cmath>
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// StepLR of torch/optim/lr_scheduler.py.
class StepLR : public RateScheduler {
 public:
  StepLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups), step_size_(integer_of(choice, "stepSize")), gamma_(choice.number("gamma")) {}

 private:
  std::vector<double> next_rates() override {
    if (last_epoch_ == 0 || last_epoch_ % step_size_ != 0) return rates();
    return scaled(gamma_);
  }

  std::vector<double> closed_form() override {
    const int64_t changes = last_epoch_ / step_size_;
    return base_scaled(std::pow(gamma_, static_cast<double>(changes)));
  }

  int64_t step_size_;
  double gamma_;
};

}  // namespace

std::unique_ptr<Scheduler> make_step_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<StepLR>(choice, groups);
}

}  // namespace incremental
