#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// CosineAnnealingLR of torch/optim/lr_scheduler.py (Loshchilov and Hutter 2017, "SGDR", equation 5, without restarts).
class CosineAnnealingLR : public RateScheduler {
 public:
  CosineAnnealingLR(const Choice& choice, Groups& groups)
      : RateScheduler(groups), t_max_(integer_of(choice, "tMax")), eta_min_(choice.number("etaMin")) {}

 private:
  std::vector<double> next_rates() override {
    if (is_initial_) return rates();
    if (step_count_ == 1 && last_epoch_ > 0) return closed_form();
    const auto period = static_cast<double>(t_max_);
    if ((last_epoch_ - 1 - t_max_) % (2 * t_max_) == 0) return from_the_lowest(1 - std::cos(std::numbers::pi / period));
    const auto step = static_cast<double>(last_epoch_);
    const double now = 1 + std::cos(std::numbers::pi * step / period);
    const double before = 1 + std::cos(std::numbers::pi * (step - 1) / period);
    const double factor = divided(now, before);
    std::vector<double> next = rates();
    for (double& rate : next) rate = factor * (rate - eta_min_) + eta_min_;
    return next;
  }

  std::vector<double> from_the_lowest(double rise) const {
    std::vector<double> next = rates();
    for (size_t i = 0; i < next.size(); ++i) next[i] += (base_rates_[i] - eta_min_) * rise / 2;
    return next;
  }

  std::vector<double> closed_form() override {
    const double height =
        1 + std::cos(std::numbers::pi * static_cast<double>(last_epoch_) / static_cast<double>(t_max_));
    std::vector<double> next = base_rates_;
    for (double& rate : next) rate = eta_min_ + (rate - eta_min_) * height / 2;
    return next;
  }

  int64_t t_max_;
  double eta_min_;
};

}  // namespace

std::unique_ptr<Scheduler> make_cosine_annealing_lr(const Choice& choice, Groups& groups) {
  return std::make_unique<CosineAnnealingLR>(choice, groups);
}

}  // namespace incremental
