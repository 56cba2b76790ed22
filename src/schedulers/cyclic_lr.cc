#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "src/schedulers/cycled_momentum.h"
#include "src/schedulers/members.h"

namespace incremental {
namespace {

// CyclicLR of torch/optim/lr_scheduler.py (Smith 2017, "Cyclical learning rates for training neural networks").
class CyclicLR : public RateScheduler {
 public:
  CyclicLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups),
        own_base_rates_(choice.each("baseLearningRate", groups.size())),
        max_rates_(choice.each("maxLearningRate", groups.size())),
        total_size_(choice.number("stepSizeUp") + choice.number("stepSizeDown")),
        step_ratio_(divided(choice.number("stepSizeUp"), total_size_)),
        mode_(choice.word("mode")),
        gamma_(choice.number("gamma")),
        momentum_(choice, groups) {}

  void begin() override {
    for (size_t i = 0; i < groups_.size(); ++i) groups_[i].learning_rate = own_base_rates_[i];
    momentum_.begin(groups_);
    RateScheduler::begin();
    base_rates_ = own_base_rates_;
  }

 private:
  std::vector<double> next_rates() override {
    const auto step = static_cast<double>(last_epoch_);
    const double cycle = std::floor(1 + step / total_size_);
    const double x = 1.0 + step / total_size_ - cycle;
    const double share = x <= step_ratio_ ? divided(x, step_ratio_) : divided(x - 1, step_ratio_ - 1);
    const double scale = scale_of(cycle, step);
    std::vector<double> next(groups_.size());
    for (size_t i = 0; i < next.size(); ++i) {
      // During begin() PyTorch's base_lrs are those of the groups.
      next[i] = base_rates_[i] + (max_rates_[i] - base_rates_[i]) * share * scale;
    }
    momentum_.set(groups_, [&](size_t, double base, double most) { return most - (most - base) * share * scale; });
    return next;
  }

  double scale_of(double cycle, double step) const {
    if (mode_ == "triangular2") return 1 / std::pow(2.0, cycle - 1);
    return mode_ == "exp_range" ? std::pow(gamma_, step) : 1.0;
  }

  std::vector<double> own_base_rates_, max_rates_;
  double total_size_;  // steps of a cycle
  double step_ratio_;  // the share of them that goes up
  std::string mode_;
  double gamma_;
  CycledMomentum momentum_;
};

}  // namespace

std::unique_ptr<Scheduler> make_cyclic_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<CyclicLR>(choice, groups);
}

}  // namespace incremental
