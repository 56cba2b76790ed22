#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

// CosineAnnealingWarmRestarts of torch/optim/lr_scheduler.py (Loshchilov and Hutter 2017, "SGDR", equation 5).
class CosineAnnealingWarmRestarts : public RateScheduler {
 public:
  CosineAnnealingWarmRestarts(const Choice& choice, Groups& groups)
      : RateScheduler(groups),
        t_0_(choice.number("t0")),
        t_mult_(choice.number("tMult")),
        eta_min_(choice.number("etaMin")),
        t_i_(t_0_) {}

  // Does not count its steps, as in PyTorch.
  void step() override {
    if (last_epoch_ < 0) {
      last_epoch_ = 0;
      t_cur_ = 0;
      t_i_ = t_0_;
    } else {
      ++last_epoch_;
      ++t_cur_;
      if (t_cur_ >= t_i_) {
        t_cur_ = std::fmod(t_cur_, t_i_);
        t_i_ *= t_mult_;
      }
    }
    apply(next_rates());
  }

  SchedulerState state() const override {
    SchedulerState state = RateScheduler::state();
    state.values["T_i"] = {t_i_};
    state.values["T_cur"] = {t_cur_};
    return state;
  }

  void restore(const SchedulerState& state) override {
    RateScheduler::restore(state);
    take(state, "T_i", t_i_);
    take(state, "T_cur", t_cur_);
  }

 private:
  std::vector<double> next_rates() override {
    const double height = 1 + std::cos(divided(std::numbers::pi * t_cur_, t_i_));
    std::vector<double> next = base_rates_;
    for (double& rate : next) rate = eta_min_ + (rate - eta_min_) * height / 2;
    return next;
  }

  double t_0_, t_mult_, eta_min_;
  double t_i_;         // steps between two restarts
  double t_cur_ = -1;  // steps since the last one
};

}  // namespace

std::unique_ptr<Scheduler> make_cosine_annealing_warm_restarts(const Choice& choice, Groups& groups) {
  return std::make_unique<CosineAnnealingWarmRestarts>(choice, groups);
}

}  // namespace incremental
